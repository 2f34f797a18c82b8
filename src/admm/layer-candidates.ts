import { type PerPlane, perPlaneText } from '../bitplanes/per-plane';
import { firstPictures } from '../networks/first-pictures';
import type { Inference, Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { measureLayer } from './measure-layer';
import type { PostTrainingSettings } from './post-training-settings';
import { pruneLayer } from './prune-layer';
import { layerBudgets, masksOf } from './prune-post-training';
import { type ReferenceNetwork, throughLayers } from './through-layers';

/** A layer pruned alone for one ADC resolution, and what that does to the network. */
export interface LayerCandidate {
  readonly adcBits: PerPlane;
  readonly layer: IntegerLayer;
  /** Output error over output variance on the calibration pictures. */
  readonly relativeError: number;
  /**
   * Mean Kullback-Leibler divergence, in nats a picture, from the unpruned network's class probabilities to those with
   * this layer alone pruned. No labels.
   */
  readonly divergence: number;
}

export interface CandidateSettings extends Omit<PostTrainingSettings, 'adcBits'> {
  /** Resolutions tried, of all planes alike or profiles over the planes; default 1 to 6 of all alike. */
  readonly adcBits?: readonly PerPlane[];
  /** Calibration pictures on which the logits are compared; default 128. */
  readonly compared?: number;
}

/** The resolutions tried by default. */
export const candidateBits = [1, 2, 3, 4, 5, 6] as const;

/** Lowest planes that a profile leaves without ADC, or gives one bit less, at most. */
const DROPPED_PLANES = 4;
const REDUCED_PLANES = 3;

/**
 * Resolutions alike in all planes, and of each the profiles that save where bits count least: the lowest 1 to 4 planes
 * without ADC, so that they are never converted, or the lowest 1 to 3 with ADCs of one bit less.
 */
export function planeProfiles(adcBits: readonly number[], planes: number): PerPlane[] {
  const profiles = (bits: number, low: number, most: number) =>
    Array.from({ length: Math.min(most, planes - 1) }, (_, saving) =>
      Array.from({ length: planes }, (_, plane) => (plane <= saving ? low : bits)),
    );
  return adcBits.flatMap((bits) => [
    bits,
    ...profiles(bits, 0, DROPPED_PLANES),
    ...(bits > 1 ? profiles(bits, bits - 1, REDUCED_PLANES) : []),
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
 * How much each layer suffers from each ADC resolution: every layer is pruned alone, between unpruned ones, and the
 * logits are compared with the unpruned network's. Takes layers times resolutions prunings and inferences.
 */
export function layerCandidates(
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  calibration: Pictures,
  settings: CandidateSettings,
  onProgress?: OnProgress,
): Map<string, LayerCandidate[]> {
  const { adcBits = candidateBits, compared = 128, ...rest } = settings;
  const total = crossbarNodes(network.description).length * adcBits.length;
  const limits = adcBits.map((bits) => {
    const everywhere = Object.fromEntries([...network.layers.keys()].map((name) => [name, bits]));
    const budgets = layerBudgets(network, { ...rest, adcBits: everywhere });
    return { budgets, masks: masksOf(network, rest, budgets) };
  });
  const few = firstPictures(calibration, Math.min(compared, calibration.count));
  const wanted = logitsOf(network, few);
  const candidates = new Map<string, LayerCandidate[]>();
  throughLayers(network, reference, calibration, rest.batchSize, undefined, (step) => {
    const { node } = step;
    const measured = measureLayer(step, network, rest);
    const own = adcBits.map((bits, i) => {
      onProgress?.({
        done: candidates.size * adcBits.length + i,
        total,
        note: `${node.name}: ${perPlaneText(bits)}-bit ADC alone`,
      });
      const chosen = { budget: limits[i].budgets.get(node.name)!, allowed: limits[i].masks.get(node.name) };
      const { layer, outcome } = pruneLayer(step, network, reference, measured, rest, chosen);
      const changed = { ...network, layers: new Map([...network.layers, [node.name, layer]]) };
      const divergence = meanDivergence(wanted, logitsOf(changed, few), network.description.classes);
      return { adcBits: bits, layer, relativeError: outcome.relativeError, divergence };
    });
    candidates.set(node.name, own);
    return network.layers.get(node.name)!;
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

/** Mean over the pictures of KL(softmax(wanted) || softmax(got)), in nats. */
export function meanDivergence(wanted: Float32Array, got: Float32Array, classes: number): number {
  const pictures = wanted.length / classes;
  let sum = 0;
  for (let picture = 0; picture < pictures; picture++) {
    const [p, q] = [wanted, got].map((logits) => logProbabilities(logits, picture * classes, classes));
    for (let c = 0; c < classes; c++) sum += Math.exp(p[c]) * (p[c] - q[c]);
  }
  // Rounding may take equal logits a little below zero.
  return Math.max(0, sum / pictures);
}

function logProbabilities(logits: Float32Array, from: number, classes: number): Float64Array {
  const own = Float64Array.from(logits.subarray(from, from + classes));
  const largest = Math.max(...own);
  const normaliser = largest + Math.log(own.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return own.map((value) => value - normaliser);
}
