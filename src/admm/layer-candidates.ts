import { type PerPlane, perPlaneText } from '../bitplanes/per-plane';
import { meanDivergence } from '../networks/divergence';
import { firstPictures } from '../networks/first-pictures';
import type { Inference, Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import type { CandidateStore } from './candidate-store';
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
 * How much each layer suffers from each ADC resolution: every layer is pruned alone, between unpruned ones, and the
 * logits are compared with the unpruned network's. Takes layers times resolutions prunings and inferences.
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
  throughLayers(network, reference, calibration, rest, undefined, (step) => {
    const { node } = step;
    const unpruned = network.layers.get(node.name)!;
    const kept = store?.kept(unpruned);
    if (kept) {
      candidates.set(node.name, kept);
      return unpruned;
    }
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
