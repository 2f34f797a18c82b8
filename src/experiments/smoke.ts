import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  defaultCalibration,
  type PostTrainingSettings,
  postTrainingDefaults,
} from '../admm/post-training-settings';
import { prunePostTraining } from '../admm/prune-post-training';
import { countOnes } from '../bitplanes/count-ones';
import { onesHistogram } from '../bitplanes/ones-histogram';
import type { Dataset } from '../data/dataset';
import { firstPictures } from '../networks/first-pictures';
import type { OnProgress } from '../progress';
import type { IntegerNetwork } from '../quantization/integer-network';
import { layerCodeMatrix } from '../quantization/layer-code-matrix';
import { loadIntegerNetwork, saveIntegerNetwork } from '../quantization/model-file';
import type { Accuracy } from '../training/evaluate';
import { floatAccuracy, integerAccuracy } from './accuracy';
import { type Baselines, dropsBelow } from './baselines';
import { cachedResult, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import { type ComparedCrossbar, crossbarHardware } from './certified-row';
import { certifyNetwork } from './certify-network';
import { checkCrossbar } from './check-crossbar';
import type { HardwareSummary } from './network-hardware';
import { notedProgress } from './noted-progress';
import type { FloatModel } from './open-model';
import { quantizedModel } from './quantized-model';
import { describeStudy, type Study } from './study';
import { unique } from './unique';

export interface SmokeOptions {
  readonly model: FloatModel;
  readonly dataset: Dataset;
  /** Where results and pruned networks are kept; what is there from the same settings is not computed again. */
  readonly folder: string;
  /** R and ADC bits of each configuration. */
  readonly configurations?: readonly ComparedCrossbar[];
  readonly seed?: number;
  readonly calibration?: number;
  readonly iterations?: number;
  readonly patches?: number;
  /** Pictures of the bit-serial check. */
  readonly checked?: number;
  /** Test pictures at most; default all. */
  readonly testPictures?: number;
  readonly onProgress?: OnProgress;
}

export interface SmokeConfiguration {
  readonly tileRows: number;
  readonly adcBits: number;
  readonly accuracy: Accuracy;
  /** Points below the float and the 8-bit network. */
  readonly dropFromFloat: number;
  readonly dropFrom8bit: number;
  /** No conversion of any input can clip: recounted from the codes. */
  readonly lossless: boolean;
  readonly requiredAdcBits: number;
  /** Share of weights that are not zero. */
  readonly nonzeroShare: number;
  /** Output error over output variance, mean over the layers, on the calibration pictures. */
  readonly relativeError: number;
  readonly crossbar: {
    readonly agrees: boolean;
    readonly pictures: number;
    readonly outputs: number;
    readonly conversions: number;
  };
  readonly hardware: HardwareSummary;
  /** bit columns with 0, 1, 2, ... ones. */
  readonly onesHistogram: readonly number[];
  readonly seconds: number;
}

export interface SmokeResult extends Study {
  readonly float: Accuracy;
  readonly integer: Accuracy;
  readonly weightBits: number;
  readonly inputBits: number;
  readonly encoding: 'sign-split';
  /** Of the unpruned 8-bit network, by R: most ones of a bit column, the ADC bits that needs, the share of weights that are not zero, the histogram. */
  readonly dense: readonly {
    readonly tileRows: number;
    readonly maxOnes: number;
    readonly requiredAdcBits: number;
    readonly nonzeroShare: number;
    readonly onesHistogram: readonly number[];
  }[];
  readonly configurations: readonly SmokeConfiguration[];
}

/** Raise it when the same settings give other results: what earlier runs kept is then computed again. */
const REVISION = 3;

/** What the main job prunes for. */
export const smokeConfigurations = [
  { tileRows: 128, adcBits: 3 },
  { tileRows: 128, adcBits: 4 },
  { tileRows: 64, adcBits: 3 },
  { tileRows: 64, adcBits: 4 },
];

/**
 * The main job: quantise a trained network to 8 bits, prune it after training for several crossbars and ADCs, prove
 * that no conversion can clip, measure accuracy on the test pictures, check the bit-serial crossbar, count ADC energy.
 */
export function reproduceSmoke(options: SmokeOptions): SmokeResult {
  const { model, dataset, folder, configurations = smokeConfigurations } = options;
  mkdirSync(folder, { recursive: true });
  const bench = openBench(options);
  const result: SmokeResult = {
    ...describeStudy(model, dataset, bench.settings),
    ...bench.baselines,
    weightBits: 8,
    inputBits: 8,
    encoding: 'sign-split',
    dense: unique(configurations.map(({ tileRows }) => tileRows)).map((tileRows) =>
      countDense(bench.quantized, tileRows),
    ),
    configurations: configurations.map((crossbar) => keptConfiguration(bench, crossbar)),
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}

type Bench = ReturnType<typeof openBench>;

/** What every configuration is measured with. */
function openBench(options: SmokeOptions) {
  const { model, dataset, folder, seed = 1, calibration = defaultCalibration(dataset.train) } = options;
  const settings = {
    seed,
    calibration,
    iterations: options.iterations ?? postTrainingDefaults.iterations,
    patches: options.patches ?? postTrainingDefaults.patches,
  };
  const testPictures = Math.min(options.testPictures ?? dataset.test.count, dataset.test.count);
  const key = {
    revision: REVISION,
    model: model.identity,
    data: dataset.checksums,
    ...settings,
    testPictures,
  };
  const progress = notedProgress(options.onProgress);
  const pictures = calibrationPictures(dataset.train, calibration, seed);
  const quantized = quantizedModel(model, dataset, pictures);
  const measured = (note: string) => ({ limit: testPictures, onProgress: progress(note) });
  const baselines = cachedResult(
    folder,
    'baselines',
    key,
    (): Baselines => ({
      float: floatAccuracy(model, dataset, dataset.test, measured('float network')),
      integer: integerAccuracy(quantized, dataset.test, measured('8-bit network')),
    }),
  );
  const { checked = 2 } = options;
  return {
    model,
    dataset,
    folder,
    settings,
    key,
    progress,
    pictures,
    quantized,
    measured,
    baselines,
    checked,
  };
}

/** The unpruned network's bit columns. */
function countDense(quantized: IntegerNetwork, tileRows: number): SmokeResult['dense'][number] {
  const { layers, requiredAdcBits, nonzeroShare } = certifyNetwork(quantized, tileRows);
  return {
    tileRows,
    maxOnes: Math.max(...layers.map((layer) => layer.maxOnes)),
    requiredAdcBits,
    nonzeroShare,
    onesHistogram: histogramOf(quantized, tileRows),
  };
}

/** A configuration's network and what was measured of it, or what an earlier run kept. */
function keptConfiguration(bench: Bench, crossbar: ComparedCrossbar): SmokeConfiguration {
  const { folder, model, key, checked } = bench;
  const name = `r${crossbar.tileRows}-adc${crossbar.adcBits}`;
  const file = join(folder, `${model.name}-${name}.safetensors`);
  return cachedResult(
    folder,
    name,
    { ...key, checked },
    () => {
      const started = performance.now();
      const relativeError = pruneTo(file, bench, crossbar);
      // What is certified and measured is what was written.
      const measured = measureConfiguration(bench, loadIntegerNetwork(file), crossbar);
      return {
        ...crossbar,
        ...measured,
        relativeError,
        seconds: (performance.now() - started) / 1000,
      };
    },
    [file],
  );
}

/** Writes the pruned network; returns its layers' mean output error over output variance. */
function pruneTo(file: string, bench: Bench, { tileRows, adcBits }: ComparedCrossbar): number {
  const { model, pictures, quantized, settings } = bench;
  const wanted: PostTrainingSettings = { tileRows, adcBits, ...settings };
  const progress = bench.progress(`${crossbarText({ tileRows, adcBits })}, pruning`);
  const { network, layers } = prunePostTraining(quantized, model.folded, pictures, wanted, progress);
  saveIntegerNetwork(file, network, { source: { model: model.name, sha256: model.sha256 }, settings });
  return layers.reduce((sum, layer) => sum + layer.relativeError, 0) / layers.length;
}

function measureConfiguration(bench: Bench, network: IntegerNetwork, crossbar: ComparedCrossbar) {
  const { dataset, checked, settings, quantized, baselines } = bench;
  const note = crossbarText(crossbar);
  const { lossless, requiredAdcBits, nonzeroShare } = certifyNetwork(network);
  const accuracy = integerAccuracy(network, dataset.test, bench.measured(note));
  const few = calibrationPictures(dataset.test, Math.max(16, checked), settings.seed);
  const check = checkCrossbar(network, firstPictures(few, checked), crossbar, bench.progress(note));
  const { agrees, pictures, outputs, conversions } = check;
  return {
    accuracy,
    ...dropsBelow(baselines, accuracy),
    lossless,
    requiredAdcBits,
    nonzeroShare,
    crossbar: { agrees, pictures, outputs, conversions },
    hardware: crossbarHardware(network, quantized, crossbar),
    onesHistogram: histogramOf(network, crossbar.tileRows),
  };
}

const crossbarText = ({ tileRows, adcBits }: ComparedCrossbar) => `R=${tileRows}, ${adcBits}-bit ADC`;

/** How many bit columns of a network hold 0, 1, 2, ... ones. */
function histogramOf(network: IntegerNetwork, crossbarRows: number): number[] {
  const total: number[] = [];
  for (const layer of network.layers.values()) {
    const { counts } = countOnes(layerCodeMatrix(layer, network, crossbarRows));
    onesHistogram(counts).forEach((count, ones) => {
      total[ones] = (total[ones] ?? 0) + count;
    });
  }
  return total;
}
