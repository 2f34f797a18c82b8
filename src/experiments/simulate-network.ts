import { type AdcSettings, adcStep } from '../crossbar/adc';
import type { CircuitSettings } from '../crossbar/analog-settings';
import { createCrossbarInference } from '../crossbar/crossbar-inference';
import type { LayerAdc } from '../crossbar/layer-adcs';
import type { PictureSet } from '../data/dataset';
import type { OnProgress } from '../progress';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork } from '../quantization/integer-network';
import { type Accuracy, measureAccuracy } from '../training/evaluate';
import { type CalibratedRange, networkSteps } from './network-steps';
import { overSeeds } from './over-seeds';

/** ADCs whose resolution may differ by layer and bit plane. */
export interface NetworkAdcs extends Omit<AdcSettings, 'bits'> {
  readonly bits: AdcBits;
}

export interface SimulationSettings {
  /** R. */
  readonly tileRows: number;
  /** The ADCs of all layers. A `range` chooses their steps instead. */
  readonly adc: 'lossless' | NetworkAdcs;
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

/** The ADCs of one layer of a network. */
export function adcOfLayer(adc: 'lossless' | NetworkAdcs, layer: string): LayerAdc {
  return adc === 'lossless' ? adc : { ...adc, bits: adcBitsOf(adc.bits, layer) };
}

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
      adc: (name) => adcOfLayer(adc, name),
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
  const { mean: top1, interval } = overSeeds(accuracies.map((accuracy) => accuracy.top1));
  const [{ pictures }] = accuracies;
  const byPictures = 1.96 * Math.sqrt((top1 * (100 - top1)) / pictures);
  return {
    accuracy: {
      top1,
      top5: overSeeds(accuracies.map((accuracy) => accuracy.top5)).mean,
      pictures,
      interval: Math.hypot(byPictures, interval),
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
