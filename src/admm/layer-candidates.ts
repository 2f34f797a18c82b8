import { type PerPlane, perPlaneText } from '../bitplanes/per-plane';
import { meanDivergence } from '../networks/divergence';
import { firstPictures } from '../networks/first-pictures';
import type { Inference, Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { randomStream } from '../tensor/random';
import type { CandidateStore } from './candidate-store';
import { layerSensitivity, SMALL_ERROR } from './layer-sensitivity';
import { withSharedInputs } from './layer-system';
import { measureLayer } from './measure-layer';
import type { PostTrainingSettings } from './post-training-settings';
import { pruneLayer } from './prune-layer';
import { layerBudgets, masksOf } from './prune-post-training';
import { maskOfChannels, onlyChannels, spreadChannels } from './some-channels';
import { type ReferenceNetwork, throughLayers } from './through-layers';

/** A layer pruned alone for one ADC resolution, and what that does to the network. */
export interface LayerCandidate {
  readonly adcBits: PerPlane;
  /** Some of its output channels, which stand for all. */
  readonly layer: IntegerLayer;
  /** Output error over output variance on the calibration pictures. */
  readonly relativeError: number;
  /**
   * Mean Kullback-Leibler divergence, in nats a picture, from the unpruned network's class probabilities to those with
   * this layer alone pruned: measured where whole layers are tried and the error is not small, else expected, the error
   * times the layer's sensitivity. No labels.
   */
  readonly divergence: number;
}

export interface CandidateSettings extends Omit<PostTrainingSettings, 'adcBits' | keyof typeof TRIAL> {
  /** Resolutions tried, of all planes alike or profiles over the planes; default 1 to 6 of all alike. */
  readonly adcBits?: readonly PerPlane[];
  /** Calibration pictures on which the logits are compared; default 128. */
  readonly compared?: number;
  /**
   * Output channels of each layer that are pruned, at most; default: all in networks of up to a million weights, else 32.
   * Of some, large errors are underestimated: twofold at a tenth of the variance, up to tenfold at a half.
   */
  readonly channels?: number;
}

/** The resolutions tried by default. */
export const candidateBits = [1, 2, 3, 4, 5, 6] as const;

/** Less exact than a final pruning, and only compared with one another: targets as they are, for a fraction of the time. */
const TRIAL = { iterations: 3, rectification: false } as const;

/** Weights of a network whose layers are tried whole. */
const FEW_WEIGHTS = 1e6;

function channelsOf({ layers }: IntegerNetwork): number {
  let weights = 0;
  for (const { codes } of layers.values()) weights += codes.length;
  return weights <= FEW_WEIGHTS ? Infinity : 32;
}

/** Lowest planes that a profile leaves without ADC at most. */
const DROPPED_PLANES = 4;

/**
 * Resolutions alike in all planes, and of each the profiles that save where bits count least: the lowest 1 to 4 planes
 * without ADC, so that they are never converted. (A bit less in the lowest planes instead was tried, and hardly chosen.)
 */
export function planeProfiles(adcBits: readonly number[], planes: number): PerPlane[] {
  const dropped = Math.min(DROPPED_PLANES, planes - 1);
  return adcBits.flatMap((bits) => [
    bits,
    ...Array.from({ length: dropped }, (_, last) =>
      Array.from({ length: planes }, (_, plane) => (plane <= last ? 0 : bits)),
    ),
  ]);
}

/** The candidates with the same resolution in all planes. */
export function uniformCandidates(
  candidates: ReadonlyMap<string, readonly LayerCandidate[]>,
): Map<string, readonly LayerCandidate[]> {
  return new Map(
    [...candidates].map(([name, own]) => [name, own.filter(({ adcBits }) => typeof adcBits === 'number')]),
  );
}

/**
 * How much each layer suffers from each ADC resolution: its sensitivity to errors is measured once, and the error of
 * each resolution on some of its output channels. Small errors drown in what rounding of activations does, so that the
 * sensitivity tells more of them than a measurement.
 * @param store keeps every layer as it is done, and gives those that an interrupted run has done already
 */
export function layerCandidates(
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  calibration: Pictures,
  settings: CandidateSettings,
  onProgress?: OnProgress,
  store?: CandidateStore,
): Map<string, LayerCandidate[]> {
  const {
    adcBits = candidateBits,
    compared = 128,
    channels: most = channelsOf(network),
    ...others
  } = settings;
  const rest = { ...others, ...TRIAL };
  const whole = [...network.layers.values()].every(({ columns }) => columns <= most);
  const total = crossbarNodes(network.description).length * adcBits.length;
  const limits = adcBits.map((bits) => {
    const everywhere = Object.fromEntries([...network.layers.keys()].map((name) => [name, bits]));
    const budgets = layerBudgets(network, { ...rest, adcBits: everywhere });
    return { budgets, masks: masksOf(network, rest, budgets) };
  });
  const few = firstPictures(calibration, Math.min(compared, calibration.count));
  const wanted = logitsOf(network, few);
  const divergenceOf = (layer: IntegerLayer) => {
    const changed = { ...network, layers: new Map([...network.layers, [layer.name, layer]]) };
    return meanDivergence(wanted, logitsOf(changed, few), network.description.classes);
  };
  const candidates = new Map<string, LayerCandidate[]>();
  throughLayers(network, reference, calibration, rest, undefined, (step) => {
    const { node } = step;
    const unpruned = network.layers.get(node.name)!;
    const kept = store?.kept(unpruned);
    if (kept) {
      candidates.set(node.name, kept);
      return unpruned;
    }
    const report = (done: number, note: string) =>
      onProgress?.({ done: candidates.size * adcBits.length + done, total, note: `${node.name}: ${note}` });
    report(0, 'sensitivity');
    const measured = measureLayer(step, network, rest);
    const random = randomStream(settings.seed ?? 1, `noise of ${node.name}`);
    const sensitivity = layerSensitivity(node, network, measured.moments, divergenceOf, random);
    const channels = spreadChannels(node, unpruned.columns, most);
    const part = onlyChannels({ node, network, reference, measured }, channels);
    const own = withSharedInputs((shared) =>
      adcBits.map((bits, i) => {
        report(i, `${perPlaneText(bits)}-bit ADC alone`);
        const mask = limits[i].masks.get(node.name);
        const chosen = {
          budget: limits[i].budgets.get(node.name)!,
          allowed: mask && maskOfChannels(mask, unpruned.columns, channels),
        };
        const { layer, outcome } = pruneLayer({ ...part, shared }, step.timer, rest, chosen);
        const { relativeError } = outcome;
        const large = relativeError >= SMALL_ERROR;
        const divergence = whole && large ? divergenceOf(layer) : sensitivity * relativeError;
        return { adcBits: bits, layer, relativeError, divergence };
      }),
    );
    candidates.set(node.name, own);
    store?.keep(node.name, own);
    return unpruned;
  });
  onProgress?.({ done: total, total, note: 'sensitivities measured' });
  return candidates;
}

function logitsOf(network: IntegerNetwork, pictures: Pictures): Float32Array {
  const inference: Inference = createIntegerInference(network);
  try {
    return inference.logits(pictures);
  } finally {
    inference.dispose();
  }
}
