import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCalibration } from '../admm/post-training-settings';
import type { Dataset } from '../data/dataset';
import { datasetStream } from '../data/test-pictures';
import { firstPictures } from '../networks/first-pictures';
import type { Inference } from '../networks/inference';
import type { OnProgress } from '../progress';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerNetwork } from '../quantization/integer-network';
import { engineVersion } from '../tensor/engine';
import type { Accuracy } from '../training/evaluate';
import { modelInference } from './accuracy';
import { cachedResult, digestOf, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import { certifyNetwork } from './certify-network';
import { checkCrossbar } from './check-crossbar';
import { compareLogits, type Estimate } from './compare-logits';
import { denseNetwork } from './dense-network';
import { type LayerView, layerViews } from './layer-view';
import { dataOf, type FloatFile, openNetworkFiles, type PrunedFile } from './network-files';
import { type HardwareSummary, networkHardware, summarizeHardware } from './network-hardware';
import { accuracyOf, keptScores, type PictureScores, scorePictures } from './picture-scores';
import { quantizedModel } from './quantized-model';
import { requireFit } from './require-fit';
import { modelChecksums } from './study';

export interface VerifyOptions {
  /** Network files, float and pruned; every pruned one with its float network. */
  readonly paths: readonly string[];
  /** Networks trained on other data are certified, not measured. */
  readonly datasets: readonly Dataset[];
  /** Where logits and results are kept; what is there of the same files and pictures is not computed again. */
  readonly folder: string;
  /** Pictures whose every conversion is simulated; default 2. */
  readonly checked?: number;
  /** Test pictures at most; default all. */
  readonly testPictures?: number;
  readonly onProgress?: OnProgress;
}

/** What was measured on pictures. */
export interface Measured {
  readonly accuracy: Accuracy;
  /** Points of top-1 below the float and the 8-bit network, paired by picture. */
  readonly fromFloat?: Estimate;
  readonly from8bit?: Estimate;
  /** Of a pruned network: whether the bit-serial crossbar gave the integer network's outputs on some pictures. */
  readonly crossbar?: { readonly agrees: boolean; readonly pictures: number; readonly conversions: number };
}

/** What the codes of a pruned network tell. */
export interface Recounted {
  readonly method: string;
  readonly tileRows: number;
  /** What it was pruned for. */
  readonly adcBits: AdcBits;
  readonly encoding: string;
  readonly dacBits: number;
  /** What its codes need. */
  readonly requiredAdcBits: number;
  /** Every layer keeps its limits: no input can make a conversion clip. */
  readonly lossless: boolean;
  readonly nonzeroShare: number;
  readonly layers: readonly LayerView[];
  readonly hardware: HardwareSummary;
}

/** A float network, its 8-bit form, or a pruned network, verified. */
export interface VerifiedNetwork {
  /** The file's name; of an 8-bit form that of the float network and `, 8 bits`. */
  readonly name: string;
  readonly kind: 'float' | '8-bit' | 'pruned';
  readonly network: string;
  /** Name of the float network that it is, or was made from. */
  readonly float: string;
  /** Title of the pictures; undefined where they are not at hand. */
  readonly dataset?: string;
  readonly weightBits?: number;
  readonly inputBits?: number;
  readonly seed?: string;
  /** Undefined where its pictures are not at hand. */
  readonly measured?: Measured;
  readonly recounted?: Recounted;
  /** Of an 8-bit form: ADC bits that read it without loss, by R of the networks pruned from it. */
  readonly unpruned?: readonly { readonly tileRows: number; readonly requiredAdcBits: number }[];
}

export interface Verification {
  readonly networks: readonly VerifiedNetwork[];
  /** Of the calibration pictures of the 8-bit forms. */
  readonly seed: number;
  readonly checksums: Readonly<Record<string, string>>;
}

/** Raise it when the same files give other results: what earlier runs kept is then computed again. */
const REVISION = 1;

/** Of the pictures on which 8-bit forms are calibrated. */
const SEED = 1;

/** R of the unpruned network's count where nothing was pruned from it. */
const USUAL_ROWS = 128;

/**
 * Measures networks in files anew on all test pictures, float networks in float32 and in 8 bits, pruned ones as integers;
 * recounts every bit column from the stored codes, runs the bit-serial crossbar beside the integers, and counts energy.
 * @throws InputError where a pruned network's float network is missing
 */
export async function verifyNetworks(options: VerifyOptions): Promise<Verification> {
  const { paths, datasets, folder } = options;
  mkdirSync(folder, { recursive: true });
  const { floats, pruned } = openNetworkFiles(paths);
  const networks: VerifiedNetwork[] = [];
  for (const float of floats) {
    const own = pruned.filter((file) => file.float === float);
    const dataset = dataOf(float, datasets);
    if (dataset) requireFit(float.model.description, dataset);
    const baselines = dataset && (await measureBaselines(float, dataset, own, options));
    networks.push(baselines?.float ?? describeFloat(float), ...(baselines ? [baselines.integer] : []));
    for (const file of own) networks.push(await verifyPruned(file, baselines, options));
  }
  const result: Verification = {
    networks,
    seed: SEED,
    checksums: Object.assign(
      {},
      ...datasets.map(({ checksums }) => checksums),
      modelChecksums([...floats, ...pruned].map(({ model }) => model)),
    ),
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}

interface Baselines {
  readonly dataset: Dataset;
  readonly float: VerifiedNetwork;
  readonly integer: VerifiedNetwork;
  readonly floatScores: PictureScores;
  readonly integerScores: PictureScores;
}

function describeFloat({ model, seed }: FloatFile) {
  return {
    name: model.name,
    kind: 'float' as const,
    network: model.description.name,
    float: model.name,
    seed,
  };
}

/** A float network and its 8-bit form. */
async function measureBaselines(
  file: FloatFile,
  dataset: Dataset,
  pruned: readonly PrunedFile[],
  options: VerifyOptions,
): Promise<Baselines> {
  const { model } = file;
  const bits = { weightBits: 8, inputBits: 8 };
  const count = defaultCalibration(dataset.train);
  const pictures = calibrationPictures(dataset.train, count, SEED);
  const quantized = quantizedModel(model, dataset, pictures, bits);
  const score = scorer(dataset, options);
  const subject = { model: model.identity };
  const floatScores = await score(model.name, subject, () => modelInference(model, dataset));
  const name = `${model.name}, 8 bits`;
  const integerScores = await score(name, { ...subject, count, SEED }, () =>
    createIntegerInference(quantized),
  );
  const described = describeFloat(file);
  const tileRows = new Set(pruned.map(({ model: { network } }) => network.pruning!.tileRows));
  return {
    dataset,
    floatScores,
    integerScores,
    float: { ...described, dataset: dataset.title, measured: { accuracy: accuracyOf(floatScores) } },
    integer: {
      ...described,
      ...bits,
      name,
      kind: '8-bit',
      dataset: dataset.title,
      seed: String(SEED),
      measured: { accuracy: accuracyOf(integerScores), fromFloat: dropBetween(floatScores, integerScores) },
      unpruned: [...(tileRows.size > 0 ? tileRows : [USUAL_ROWS])].map((rows) => ({
        tileRows: rows,
        requiredAdcBits: certifyNetwork(quantized, rows).requiredAdcBits,
      })),
    },
  };
}

/** Logits of a network on the test pictures, from an earlier run where there are. */
function scorer(dataset: Dataset, { folder, testPictures = Infinity, onProgress }: VerifyOptions) {
  const total = Math.min(testPictures, dataset.test.count);
  const engine = engineVersion();
  return (name: string, subject: unknown, inference: () => Inference): Promise<PictureScores> => {
    const key = digestOf({ REVISION, engine, data: dataset.checksums, total, subject });
    return keptScores(join(folder, `${name}.scores`), key, () =>
      scorePictures(inference(), datasetStream(dataset), total, (p) =>
        onProgress?.({ ...p, note: `${name}: ${p.note}` }),
      ),
    );
  };
}

function dropBetween(reference: PictureScores, { logits, labels }: PictureScores): Estimate {
  return compareLogits(reference.logits, logits, labels).drop;
}

async function verifyPruned(
  { model, float, seed }: PrunedFile,
  baselines: Baselines | undefined,
  options: VerifyOptions,
): Promise<VerifiedNetwork> {
  const { name, network } = model;
  return {
    name,
    kind: 'pruned',
    network: network.description.name,
    float: float.model.name,
    dataset: baselines?.dataset.title,
    weightBits: network.weightBits,
    // The first layer takes the pictures' own 8 bits.
    inputBits: [...network.layers.values()].at(-1)!.inputBits,
    seed,
    measured: baselines && (await measurePruned(model, baselines, options)),
    recounted: recount(network, float),
  };
}

async function measurePruned(
  { name, sha256, network }: PrunedFile['model'],
  { dataset, floatScores, integerScores }: Baselines,
  options: VerifyOptions,
): Promise<Measured> {
  const { folder, checked = 2, onProgress } = options;
  const scores = await scorer(dataset, options)(name, { sha256 }, () => createIntegerInference(network));
  const key = { REVISION, sha256, data: dataset.checksums, checked };
  const { agrees, pictures, conversions } = cachedResult(folder, `${name}-crossbar`, key, () =>
    checkCrossbar(network, firstPictures(dataset.test, checked), network.pruning!, (p) =>
      onProgress?.({ ...p, note: `${name}: ${p.note}` }),
    ),
  );
  return {
    accuracy: accuracyOf(scores),
    fromFloat: dropBetween(floatScores, scores),
    from8bit: dropBetween(integerScores, scores),
    crossbar: { agrees, pictures, conversions },
  };
}

/** What the codes alone tell. */
function recount(network: IntegerNetwork, float: FloatFile): Recounted {
  const { method, tileRows, adcBits, encoding, dacBits = 1 } = network.pruning!;
  const { requiredAdcBits, lossless, nonzeroShare } = certifyNetwork(network);
  const dense = denseNetwork(float.model, network);
  const hardware = networkHardware(network, {
    tileRows,
    dense,
    adcBits: (layer) => adcBitsOf(adcBits, layer),
  });
  return {
    method,
    tileRows,
    adcBits,
    encoding,
    dacBits,
    requiredAdcBits,
    lossless,
    nonzeroShare,
    layers: layerViews(network, dense),
    hardware: summarizeHardware(hardware),
  };
}
