import { meanDivergence } from '../networks/divergence';
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
  readonly adcBits: number;
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
  /** Resolutions tried; default 1 to 6. */
  readonly adcBits?: readonly number[];
  /** Calibration pictures on which the logits are compared; default 128. */
  readonly compared?: number;
}

/** The resolutions tried by default. */
export const candidateBits = [1, 2, 3, 4, 5, 6] as const;

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
    const budgets = layerBudgets(network, { ...rest, adcBits: bits });
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
        note: `${node.name}: ${bits}-bit ADC alone`,
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
