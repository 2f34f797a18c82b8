import type { Adc, AdcSettings } from '../crossbar/adc';
import { chooseStep, type RangePolicy } from '../crossbar/adc-range';
import type { CircuitSettings } from '../crossbar/analog-settings';
import { createCrossbarInference } from '../crossbar/crossbar-inference';
import { mapLayer } from '../crossbar/layer-job';
import { networkLayer } from '../crossbar/network-layer';
import { type LayerObservation, observeNetwork } from '../crossbar/network-statistics';
import type { PictureSet } from '../data/dataset';
import type { Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork } from '../quantization/integer-network';
import { type Accuracy, measureAccuracy } from '../training/evaluate';

export interface SimulationSettings {
  /** R. */
  readonly tileRows: number;
  /** The ADCs of all layers. A `range` chooses their steps instead, layer by layer. */
  readonly adc: Adc;
  /** Chooses each layer's step from the column sums that `calibration` makes. */
  readonly range?: RangePolicy;
  readonly calibration?: Pictures;
  /** Default: ideal cells, wires and converters. */
  readonly circuit?: Omit<CircuitSettings, 'layer' | 'steps' | 'seed'>;
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
  /** Step of each layer's ADCs. */
  readonly steps: Readonly<Record<string, number>>;
}

/** Two-sided 95 % quantiles of Student's t for 1 to 9 degrees of freedom; beyond, the normal one is near enough. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];

/** Accuracy of a network on bit-serial crossbars with finite ADCs, on real or ideal circuits. */
export function simulateNetwork(
  network: IntegerNetwork,
  set: PictureSet,
  settings: SimulationSettings,
): Simulation {
  const { tileRows, circuit, seeds = [1], limit = set.count, onProgress } = settings;
  const adcs = layerAdcs(network, settings);
  const drawn = circuit ? seeds : seeds.slice(0, 1);
  const accuracies = drawn.map((seed, i) => {
    const inference = createCrossbarInference(network, {
      tileRows,
      adc: (name) => adcs.get(name)!,
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
      [...adcs].map(([name, adc]) => [name, adc === 'lossless' ? 1 : (adc.step ?? 1)]),
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

/** The ADCs of each layer: as given, or with the step that the range policy chooses for what the layer sees. */
function layerAdcs(
  network: IntegerNetwork,
  { tileRows, adc, range, calibration }: SimulationSettings,
): Map<string, Adc> {
  const nodes = crossbarNodes(network.description);
  if (range === undefined || adc === 'lossless' || calibration === undefined)
    return new Map(nodes.map(({ name }) => [name, adc]));
  const seen = observeNetwork(network, calibration, { tileRows, adc: () => 'lossless' });
  return new Map(
    nodes.map((node, i) => {
      const layer = network.layers.get(node.name)!;
      const { signedSums } = mapLayer(networkLayer(node, layer, network, { tileRows, adc }));
      return [node.name, withStep(adc, signedSums, seen[i], range)];
    }),
  );
}

function withStep(adc: AdcSettings, signed: boolean, { sums }: LayerObservation, range: RangePolicy): Adc {
  const counts = Float64Array.from(sums.counts);
  const step = chooseStep({ lowest: sums.lowest, counts }, { adc: { ...adc, signed }, range });
  return { ...adc, step };
}
