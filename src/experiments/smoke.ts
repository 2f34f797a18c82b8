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
import { cachedResult, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import { certifyNetwork } from './certify-network';
import { checkCrossbar } from './check-crossbar';
import { type HardwareSummary, networkHardware, summarizeHardware } from './network-hardware';
import type { FloatModel } from './open-model';
import { quantizedModel } from './quantized-model';
import { describeStudy, type Study } from './study';

export interface SmokeOptions {
  readonly model: FloatModel;
  readonly dataset: Dataset;
  /** Where results and pruned networks are kept; what is there from the same settings is not computed again. */
  readonly folder: string;
  /** R and ADC bits of each configuration. */
  readonly configurations?: readonly { readonly tileRows: number; readonly adcBits: number }[];
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
  const {
    model,
    dataset,
    folder,
    configurations = smokeConfigurations,
    seed = 1,
    calibration = defaultCalibration(options.dataset.train),
    onProgress,
  } = options;
  mkdirSync(folder, { recursive: true });
  const pictures = calibrationPictures(dataset.train, calibration, seed);
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
  const progress =
    (note: string): OnProgress =>
    (p) =>
      onProgress?.({ ...p, note: `${note}: ${p.note ?? ''}` });
  const test = { limit: testPictures };

  const quantized = quantizedModel(model, dataset, pictures);
  const { float, integer } = cachedResult(folder, 'baselines', key, () => ({
    float: floatAccuracy(model, dataset, dataset.test, { ...test, onProgress: progress('float network') }),
    integer: integerAccuracy(quantized, dataset.test, { ...test, onProgress: progress('8-bit network') }),
  }));

  const done = configurations.map(({ tileRows, adcBits }) => {
    const name = `r${tileRows}-adc${adcBits}`;
    const path = join(folder, `${model.name}-${name}.safetensors`);
    const prune = () => {
      const started = performance.now();
      const pruned = prunePostTraining(
        quantized,
        model.folded,
        pictures,
        { tileRows, adcBits, ...settings } satisfies PostTrainingSettings & { calibration: number },
        progress(`R=${tileRows}, ${adcBits}-bit ADC, pruning`),
      );
      saveIntegerNetwork(path, pruned.network, {
        source: { model: model.name, sha256: model.sha256 },
        settings,
      });
      // What is certified and measured is what was written.
      const network = loadIntegerNetwork(path);
      const certificate = certifyNetwork(network);
      const accuracy = integerAccuracy(network, dataset.test, {
        ...test,
        onProgress: progress(`R=${tileRows}, ${adcBits}-bit ADC`),
      });
      const few = calibrationPictures(dataset.test, Math.max(16, options.checked ?? 2), seed);
      const count = options.checked ?? 2;
      const check = checkCrossbar(
        network,
        firstPictures(few, count),
        { adcBits, tileRows },
        progress(`R=${tileRows}, ${adcBits}-bit ADC`),
      );
      return {
        tileRows,
        adcBits,
        accuracy,
        dropFromFloat: float.top1 - accuracy.top1,
        dropFrom8bit: integer.top1 - accuracy.top1,
        lossless: certificate.lossless,
        requiredAdcBits: certificate.requiredAdcBits,
        nonzeroShare: certificate.nonzeroShare,
        relativeError:
          pruned.layers.reduce((sum, layer) => sum + layer.relativeError, 0) / pruned.layers.length,
        crossbar: {
          agrees: check.agrees,
          pictures: check.pictures,
          outputs: check.outputs,
          conversions: check.conversions,
        },
        hardware: summarizeHardware(
          networkHardware(network, { tileRows, dense: quantized, adcBits: () => adcBits }),
        ),
        onesHistogram: histogramOf(network, tileRows),
        seconds: (performance.now() - started) / 1000,
      };
    };
    return cachedResult(folder, name, { ...key, checked: options.checked ?? 2, file: path }, prune, [path]);
  });

  const result: SmokeResult = {
    ...describeStudy(model, dataset, { seed, calibration }),
    float,
    integer,
    weightBits: 8,
    inputBits: 8,
    encoding: 'sign-split',
    dense: [...new Set(configurations.map(({ tileRows }) => tileRows))].map((tileRows) => {
      const { layers, requiredAdcBits, nonzeroShare } = certifyNetwork(quantized, tileRows);
      return {
        tileRows,
        maxOnes: Math.max(...layers.map((layer) => layer.maxOnes)),
        requiredAdcBits,
        nonzeroShare,
        onesHistogram: histogramOf(quantized, tileRows),
      };
    }),
    configurations: done,
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}

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
