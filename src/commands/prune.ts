import { candidateStore } from '../admm/candidate-store';
import { candidateBits, layerCandidates, planeProfiles } from '../admm/layer-candidates';
import { layerStore } from '../admm/layer-store';
import {
  defaultCalibration,
  LARGE_PATCHES,
  postTrainingDefaults,
  samplingDefaults,
} from '../admm/post-training-settings';
import { prunePostTraining } from '../admm/prune-post-training';
import { compensations, pruningMethods } from '../admm/pruning-method';
import { trainedEncodings } from '../admm/training-pruning-settings';
import { encodingNames, planeEncoding } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import { allocateAdcBits } from '../experiments/allocate-adc-bits';
import { calibrationPictures } from '../experiments/calibration';
import { certifyNetwork } from '../experiments/certify-network';
import { labelledBy } from '../experiments/labelled-by';
import { modelPath, openFloatModel, openIntegerModel, openPrunableModel } from '../experiments/open-model';
import { quantizedModel } from '../experiments/quantized-model';
import { requireFit } from '../experiments/require-fit';
import { type AdcBits, adcBitsText } from '../quantization/adc-bits';
import { hasFlips } from '../quantization/integer-network';
import { saveIntegerNetwork } from '../quantization/model-file';
import { provenance } from '../reports/provenance';
import { engineVersion, requireNativeEngine } from '../tensor/engine';
import { type Command, oneOf, textOption, wholeNumber } from './command';
import { datasetOptions, namedDataset, openNamed } from './dataset-options';
import { requireWritable } from './output-file';
import { pruneByTrainingCommand, refuseWithoutEffect, trainingOptions } from './prune-by-training';
import { refuseOptions } from './refuse-options';

const METHODS = ['post-training', 'training', ...pruningMethods] as const;

function ridgeOf(text: string | undefined): number | 'shrinkage' | undefined {
  if (text === undefined || text === 'shrinkage') return text;
  const ridge = Number(text);
  if (!(ridge >= 0 && ridge <= 1) || text.trim() === '')
    throw new InputError(`--ridge ${text}: allowed are numbers from 0 to 1 and shrinkage`);
  return ridge;
}

/** What a pruned network tells with the bits of its ADCs. */
const TOLD = [
  'adc-bits',
  'allocate',
  'allocate-planes',
  'rows',
  'encoding',
  'cell-bits',
  'dac-bits',
  'flip',
  'weight-bits',
];

export const pruneCommand: Command = {
  name: 'prune',
  usage: 'MODEL --adc-bits B --rows R [--value-limit K] [--method NAME] [--encoding NAME] -o OUT.safetensors',
  summary:
    'Quantises a float network and prunes it hierarchically after training (layer ADMM, no labels), so that ADCs of B bits\nnever clip on crossbars of R rows; MODEL may also be a pruned network, to be pruned further. Writes integer codes, scales\nand the limits they keep. An interrupted run goes on, layer by layer,\nfrom OUT.safetensors.sensitivities (--allocate) and OUT.safetensors.unfinished.',
  options: {
    'adc-bits': {
      value: 'B',
      help: 'ADC resolution, 1 to 8: at most 2^B - 1 ones a bit column (training by --start alone: as that has)',
    },
    allocate: {
      help: 'spread the ADC energy of B bits over the layers by measured sensitivity, 1 to 6 bits each',
    },
    'allocate-planes': {
      help: 'the same over layers and bit planes: the lowest planes of a layer may have less, or no ADC at all',
    },
    'adc-bits-of': {
      value: 'FILE',
      help: 'the ADC bits of each layer and plane, the rows, cells and weight bits that a pruned network has',
    },
    rows: { value: 'R', help: 'rows summed in one conversion (default 128)' },
    'balanced-rows': {
      help: 'deal rows to tiles so that large weights are spread; the order is kept in the file',
    },
    'value-limit': { value: 'K', help: 'nonzero weights a column of R rows at most (default: no limit)' },
    encoding: {
      value: 'NAME',
      help: `how weights lie in cells: ${encodingNames.join(', ')} (default the first; csd trains too)`,
    },
    'cell-bits': { value: 'N', help: 'bits of a cell, 1 to 4 (default 1): limits are on digit sums' },
    'dac-bits': { value: 'N', help: 'bits an input DAC drives at once, 1 to 8 (default 1)' },
    flip: { help: 'offset encoding: store a column complemented where that has fewer ones' },
    'weight-bits': { value: 'N', help: 'bits of a weight code, 2 to 8 (default 8)' },
    'input-bits': { value: 'N', help: 'bits of an activation code, 1 to 8 (default 8)' },
    method: {
      value: 'NAME',
      help: `post-training (default; hierarchical: the same as lagrangian), training (network ADMM and masked\n${' '.repeat(27)}retraining, hours), or a rival: ${pruningMethods.join(', ')}`,
    },
    compensation: { value: 'NAME', help: `${compensations.join(' or ')} (default layer-admm)` },
    calibration: {
      value: 'N',
      help: 'calibration pictures (default 1024, or all there are)',
    },
    iterations: { value: 'N', help: `ADMM iterations a layer (default ${postTrainingDefaults.iterations})` },
    patches: {
      value: 'N',
      help: `input patches a layer for its Hessian (default ${postTrainingDefaults.patches}, of pictures above 32 x 32 ${LARGE_PATCHES})`,
    },
    ridge: {
      value: 'X',
      help: `share of each Hessian's mean diagonal added to it (default 0.01), or shrinkage: what few pictures need\n${' '.repeat(27)}(default above 32 x 32 pixels)`,
    },
    ...trainingOptions,
    network: { value: 'NAME', help: 'network of the zoo (default: recognised by its tensors)' },
    ...datasetOptions,
    unlabelled: {
      help: 'pictures of any classes: those that MODEL tells stand for labels, accuracy is agreement with it',
    },
    seed: { value: 'N', help: 'root seed (default 1)' },
    output: { value: 'OUT', help: 'the file to write' },
  },
  words: [1, 1],
  // Post-training pruning never gives way to a signal handler.
  stopsCleanly: (options) => options.method === 'training',
  async run([name], options, context) {
    const { onProgress, note } = context;
    const output = textOption(options, 'output');
    if (!output) throw new InputError('prune: name the file to write with -o OUT.safetensors');
    const method = oneOf('method', METHODS, textOption(options, 'method') ?? 'post-training');
    const compensation = oneOf(
      'compensation',
      compensations,
      textOption(options, 'compensation') ?? 'layer-admm',
    );
    refuseWithoutEffect(options);
    const start = textOption(options, 'start');
    const startModel = start === undefined ? undefined : openIntegerModel(start);
    const bitsOf = textOption(options, 'adc-bits-of');
    if (bitsOf !== undefined) refuseOptions(options, TOLD, 'not with --adc-bits-of, which tells it');
    const uniformBits = wholeNumber(options, 'adc-bits', 1, 8);
    // Without --adc-bits a pruned network is retrained within the limits that it has.
    const retrained =
      uniformBits === undefined && options.pytorch === undefined ? startModel?.network : undefined;
    const like = bitsOf === undefined ? retrained : openIntegerModel(bitsOf).network;
    const adcBits = uniformBits ?? like?.pruning?.adcBits;
    if (adcBits === undefined) {
      const other = method === 'training' ? '--start PRUNED, which has one' : '--adc-bits-of FILE';
      throw new InputError(`prune: give the ADC resolution with --adc-bits B or ${other}`);
    }
    if (method === 'training') requireNativeEngine('pruning by training');
    const byPlane = options['allocate-planes'] === true;
    const allocates = byPlane || options.allocate === true;
    if (byPlane) refuseOptions(options, ['allocate'], '--allocate-planes does that too');
    if (allocates && !candidateBits.some((bits) => bits === uniformBits))
      throw new InputError(
        `--adc-bits ${uniformBits}: with --allocate one of ${candidateBits.join(', ')} is needed`,
      );
    const tileRows = wholeNumber(options, 'rows', 1, 65535) ?? like?.pruning?.tileRows ?? 128;
    const allowed = method === 'training' ? trainedEncodings : encodingNames;
    const encoding = oneOf(
      'encoding',
      allowed,
      textOption(options, 'encoding') ?? like?.pruning?.encoding ?? 'sign-split',
    );
    const seed = wholeNumber(options, 'seed', 0, 2 ** 31) ?? 1;
    const limits = {
      tileRows,
      method: method === 'post-training' || method === 'training' ? ('lagrangian' as const) : method,
      compensation,
      seed,
      valueLimit: wholeNumber(options, 'value-limit', 1, 65535),
      encoding,
      cellBits: wholeNumber(options, 'cell-bits', 1, 4) ?? like?.pruning?.cellBits,
      dacBits: wholeNumber(options, 'dac-bits', 1, 8) ?? like?.pruning?.dacBits,
      flip: options.flip === true || (like !== undefined && hasFlips(like)),
      balancedRows: options['balanced-rows'] === true,
      iterations: wholeNumber(options, 'iterations', 1, 10_000) ?? postTrainingDefaults.iterations,
    };
    const patches = wholeNumber(options, 'patches', 64, 1e7);
    const ridge = ridgeOf(textOption(options, 'ridge'));
    const bits = {
      weightBits: wholeNumber(options, 'weight-bits', 2, 8) ?? like?.weightBits ?? 8,
      inputBits: wholeNumber(options, 'input-bits', 1, 8) ?? 8,
    };
    const others = [start, bitsOf].filter((file) => file !== undefined);
    requireWritable(output, [name, ...others].map(modelPath));
    const startedAt = new Date();
    const open = method === 'training' ? openFloatModel : openPrunableModel;
    const model = open(name, textOption(options, 'network'));
    const opened = await openNamed(namedDataset(options, onProgress), note);
    const dataset = options.unlabelled === true ? await labelledBy(model, opened, onProgress) : opened;
    requireFit(model.description, dataset);
    const count =
      wholeNumber(options, 'calibration', 16, dataset.train.count) ?? defaultCalibration(dataset.train);
    const pictures = calibrationPictures(dataset.train, count, seed);
    if (method === 'training') {
      const fixed = { tileRows, adcBits, seed, valueLimit: limits.valueLimit, encoding, ...bits };
      const input = { model, dataset, pictures, output, start: startModel, settings: fixed };
      return pruneByTrainingCommand(input, options, context);
    }
    const sampling = samplingDefaults(pictures);
    const settings = { ...limits, patches: patches ?? sampling.patches, ridge: ridge ?? sampling.ridge };
    const quantized = quantizedModel(model, dataset, pictures, bits, onProgress);
    const source = { model: model.identity, data: dataset.checksums, calibration: count, ...bits };
    const { planes } = planeEncoding(encoding, bits.weightBits, settings.cellBits);
    const { iterations: _, ...trial } = settings;
    const trials = { ...trial, adcBits: byPlane ? planeProfiles(candidateBits, planes) : candidateBits };
    const measured = candidateStore(`${output}.sensitivities`, { ...source, ...trials });
    const shares = (): AdcBits => {
      const candidates = layerCandidates(quantized, model.folded, pictures, trials, onProgress, measured);
      const { cellBits, dacBits } = settings;
      const coding = { encoding, cellBits, dacBits };
      const budget = { uniformBits: uniformBits! };
      return allocateAdcBits(quantized, candidates, { tileRows, coding, budget }).adcBits;
    };
    const given = allocates ? shares() : adcBits;
    const wanted = { ...settings, adcBits: given };
    const store = layerStore(`${output}.unfinished`, { ...source, ...wanted });
    const { network, layers } = prunePostTraining(
      quantized,
      model.folded,
      pictures,
      wanted,
      onProgress,
      store,
    );
    const own = { model: model.name, sha256: model.sha256 };
    const notes = {
      source: model.source ?? own,
      ...(model.source && { start: own }),
      settings: wanted,
      provenance: provenance({
        parameters: { ...wanted, ...bits, calibration: count },
        seeds: { root: seed },
        dataChecksums: dataset.checksums,
        engine: engineVersion(),
        startedAt,
      }),
    };
    saveIntegerNetwork(output, network, notes);
    store.clear();
    if (allocates) measured.clear();
    const { lossless, nonzeroShare } = certifyNetwork(network);
    return {
      data: {
        output,
        tileRows,
        adcBits: given,
        lossless,
        nonzeroShare,
        // A gap a column is more than anybody reads.
        layers: layers.map(({ gaps: _, ...layer }) => layer),
      },
      text: `${output}: ${layers.length} layers, ${(100 * nonzeroShare).toFixed(1)} % of the weights kept, ${lossless ? `no conversion of ${tileRows} rows can clip a ${adcBitsText(given)}-bit ADC` : 'LIMITS BROKEN'}`,
    };
  },
};
