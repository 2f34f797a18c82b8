import { existsSync, rmSync } from 'node:fs';
import { InputError } from '../errors';
import { readSafetensorsMetadata } from '../networks/read-safetensors';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { loadIntegerNetwork, saveIntegerNetwork } from '../quantization/model-file';
import type { LayerOutcome } from './prune-layer';

export interface PrunedLayer {
  readonly layer: IntegerLayer;
  readonly outcome: LayerOutcome;
}

/** Raise it when the same settings give other layers. */
const REVISION = 2;

/** Where an unfinished pruning keeps its layers. */
export interface LayerStore {
  /** Layers that an earlier run with the same settings finished, by name, in network order. */
  finished(): Map<string, PrunedLayer>;
  /** @param network the layers done so far among unpruned ones */
  keep(network: IntegerNetwork, outcomes: readonly LayerOutcome[]): void;
  /** Forgets everything: the pruned network is written elsewhere. */
  clear(): void;
}

/**
 * Keeps the layers in one file, written whole or not at all after every layer.
 * @param key everything that the result depends on; what was kept under another key is left out
 */
export function layerStore(path: string, key: unknown): LayerStore {
  const wanted = JSON.stringify({ revision: REVISION, key });
  return {
    finished() {
      const kept = existsSync(path) ? readKept(path, wanted) : undefined;
      return kept ?? new Map();
    },
    keep(network, outcomes) {
      const plain = outcomes.map((outcome) => ({ ...outcome, gaps: outcome.gaps && [...outcome.gaps] }));
      saveIntegerNetwork(path, network, { key: wanted, outcomes: plain });
    },
    clear: () => rmSync(path, { force: true }),
  };
}

function readKept(path: string, wanted: string): Map<string, PrunedLayer> | undefined {
  try {
    const { key, outcomes } = readSafetensorsMetadata(path);
    if (key === undefined || JSON.parse(key) !== wanted) return undefined;
    const { layers } = loadIntegerNetwork(path);
    return new Map(
      (JSON.parse(outcomes) as LayerOutcome[]).map((outcome) => [
        outcome.name,
        {
          layer: layers.get(outcome.name)!,
          outcome: { ...outcome, gaps: outcome.gaps && Float64Array.from(outcome.gaps) },
        },
      ]),
    );
  } catch (error) {
    // A file that is no store of ours, or damaged: the layers are pruned again.
    if (error instanceof InputError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
