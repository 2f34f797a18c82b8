import { type Adc, adcStep } from '../crossbar/adc';
import type { CircuitSettings } from '../crossbar/analog-settings';
import { createCrossbarInference } from '../crossbar/crossbar-inference';
import type { PictureSet } from '../data/dataset';
import type { OnProgress } from '../progress';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork } from '../quantization/integer-network';
import { type Accuracy, measureAccuracy } from '../training/evaluate';
import { type CalibratedRange, networkSteps } from './network-steps';

export interface SimulationSettings {
  /** R. */
  readonly tileRows: number;
  /** The ADCs of all layers. A `range` chooses their steps instead. */
  readonly adc: Adc;
  readonly range?: CalibratedRange;
  /** Default: ideal cells, wires and converters. */
  readonly circuit?: Omit<CircuitSettings, 'layer' | 'seed'>;
  /** Circuits drawn, one a seed; an ideal circuit needs one. Default [1]. */
  readonly seeds?: readonly number[];
  /** Pictures at most; default all. */
  readonly limit?: number;
  readonly onProgress?: OnProgress;
}

export interface Simulation {
  /** Mean over the seeds; the interval is that of the pictures, and of the seeds too where there are several. */
  readonly accuracy: Accuracy;
  /** top-1 of each seed. */
  readonly bySeed: readonly { readonly seed: number; readonly top1: number }[];
  /** Steps of each layer's ADCs: one for the layer, one an array or one a converted column. */
  readonly steps: Readonly<Record<string, readonly number[]>>;
}

/** Two-sided 95 % quantiles of Student's t for 1 to 9 degrees of freedom; beyond, the normal one is near enough. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];

/** Accuracy of a network on bit-serial crossbars with finite ADCs, on real or ideal circuits. */
export function simulateNetwork(
  network: IntegerNetwork,
  set: PictureSet,
  settings: SimulationSettings,
): Simulation {
  const { tileRows, adc, range, circuit, seeds = [1], limit = set.count, onProgress } = settings;
  const steps = range && adc !== 'lossless' ? networkSteps(network, { tileRows, adc }, range) : undefined;
  const drawn = circuit ? seeds : seeds.slice(0, 1);
  const accuracies = drawn.map((seed, i) => {
    const inference = createCrossbarInference(network, {
      tileRows,
      adc: () => adc,
      steps: (name) => steps?.get(name),
      circuit: circuit && { ...circuit, seed },
    });
    const note = drawn.length > 1 ? `accuracy, circuit ${i + 1} of ${drawn.length}` : 'accuracy';
    return measureAccuracy(inference, network.description.classes, set, {
      limit,
      batchSize: 50,
      onProgress: onProgress && ((p) => onProgress({ ...p, note })),
    });
  });
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const top1 = mean(accuracies.map((accuracy) => accuracy.top1));
  const [{ pictures }] = accuracies;
  const byPictures = 1.96 * Math.sqrt((top1 * (100 - top1)) / pictures);
  return {
    accuracy: {
      top1,
      top5: mean(accuracies.map((accuracy) => accuracy.top5)),
      pictures,
      interval: Math.hypot(byPictures, spread(accuracies.map((accuracy) => accuracy.top1))),
    },
    bySeed: drawn.map((seed, i) => ({ seed, top1: accuracies[i].top1 })),
    steps: Object.fromEntries(
      crossbarNodes(network.description).map(({ name }) => [
        name,
        [...(steps?.get(name)?.values ?? [adcStep(adc)])],
      ]),
    ),
  };
}

/** Half width of the 95 % interval of a mean over seeds; 0 where there is but one. */
function spread(values: readonly number[]): number {
  const count = values.length;
  if (count < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return (STUDENT[count - 2] ?? 1.96) * Math.sqrt(variance / count);
}
