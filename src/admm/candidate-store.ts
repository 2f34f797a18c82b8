import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors';
import { makeFolder } from '../networks/make-folder';
import { readSafetensors } from '../networks/read-safetensors';
import type { StoredTensor } from '../networks/stored-tensor';
import { type WritableTensor, writeSafetensors } from '../networks/write-safetensors';
import type { IntegerLayer } from '../quantization/integer-network';
import type { LayerCandidate } from './layer-candidates';

/** Where an unfinished measurement of sensitivities keeps the candidates of each layer. */
export interface CandidateStore {
  /** What an earlier run with the same settings measured of an unpruned layer. */
  kept(layer: IntegerLayer): LayerCandidate[] | undefined;
  keep(name: string, candidates: readonly LayerCandidate[]): void;
  /** Forgets everything. */
  clear(): void;
}

/** The arrays of a layer that pruning changes. */
const FIELDS = ['codes', 'scales', 'bias', 'rowOrder', 'flips'] as const;

/** Raise it when the same settings give other candidates. */
const REVISION = 2;

/**
 * Keeps the candidates of each layer in a file of `folder`, written whole or not at all.
 * @param key everything that the candidates depend on; what was kept under another key is left out
 */
export function candidateStore(folder: string, key: unknown): CandidateStore {
  const wanted = JSON.stringify({ revision: REVISION, key });
  const pathOf = (name: string) => join(folder, `${name}.safetensors`);
  return {
    kept(layer) {
      const path = pathOf(layer.name);
      return existsSync(path) ? readKept(path, wanted, layer) : undefined;
    },
    keep(name, candidates) {
      makeFolder(folder);
      const tensors = new Map(candidates.flatMap(({ layer }, i) => tensorsOf(layer, i)));
      const told = candidates.map(({ layer: _, ...rest }) => rest);
      writeSafetensors(pathOf(name), tensors, { key: wanted, candidates: JSON.stringify(told) });
    },
    clear: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function tensorsOf(layer: IntegerLayer, i: number): [string, WritableTensor][] {
  return FIELDS.flatMap((field) => {
    const data = layer[field];
    return data ? [[`${i}.${field}`, { shape: [data.length], data }] as [string, WritableTensor]] : [];
  });
}

function readKept(path: string, wanted: string, layer: IntegerLayer): LayerCandidate[] | undefined {
  try {
    const { tensors, metadata } = readSafetensors(path);
    if (metadata.key !== wanted) return undefined;
    const told = JSON.parse(metadata.candidates) as Omit<LayerCandidate, 'layer'>[];
    return told.map((rest, i) => {
      const arrays = arraysOf(tensors, i);
      return { ...rest, layer: { ...layer, ...arrays, columns: arrays.scales!.length } };
    });
  } catch (error) {
    // A damaged file: the layer is measured again.
    if (error instanceof InputError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function arraysOf(tensors: ReadonlyMap<string, StoredTensor>, i: number): Partial<IntegerLayer> {
  const found = FIELDS.flatMap((field) => {
    const data = tensors.get(`${i}.${field}`)?.data;
    return data ? [[field, data]] : [];
  });
  return Object.fromEntries(found);
}
