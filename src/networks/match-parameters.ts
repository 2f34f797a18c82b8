import type { NetworkDescription, Parameters } from './description';
import { parameterShapes } from './parameter-shapes';
import type { StoredTensor } from './stored-tensor';

/** How the tensors of a file were matched with the parameters of a network. */
export interface MatchAccount {
  /** Parameters that got a tensor, by name or by order. */
  readonly matched: number;
  /** All that the network has. */
  readonly total: number;
  /** Those matched by order and shape because their names differ. */
  readonly byOrder: readonly { readonly parameter: string; readonly from: string }[];
  /** Parameters without a tensor. */
  readonly missing: readonly string[];
  /** Tensors without a parameter. */
  readonly unused: readonly string[];
  /** Same name, other shape. */
  readonly shapeMismatches: readonly {
    readonly parameter: string;
    readonly needed: readonly number[];
    readonly found: readonly number[];
  }[];
}

/** Whether a tensor must belong to a layer (a weight, a batch norm's statistics), so that a network without it is another. */
export function marksLayer(name: string, tensor: StoredTensor): boolean {
  return FLOATS.has(tensor.dtype) && (name.endsWith('.running_var') || tensor.shape.length >= 2);
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** A layer: the tensors that share all of their name but the end, and what tells layers of one kind apart. */
interface Layer {
  readonly name: string;
  /** `weight[16,3,3,3] bias[16]`, in alphabetical order: layers match by order only where this is equal. */
  readonly signature: string;
  readonly suffixes: readonly string[];
}

const FLOATS = new Set(['F64', 'F32', 'F16', 'BF16']);

/** Compares so that `layer1.9` comes before `layer1.10`. */
const natural = new Intl.Collator('en', { numeric: true }).compare;

/** safetensors files saved from Python are sorted by name, so their order says nothing of the network's. */
function inNetworkOrder(names: readonly string[]): readonly string[] {
  const sorted = names.every((name, i) => i === 0 || names[i - 1] <= name);
  return sorted ? [...names].sort(natural) : names;
}

function layersOf(shapes: Shapes): Layer[] {
  const groups = new Map<string, string[]>();
  for (const name of shapes.keys()) {
    const dot = name.lastIndexOf('.');
    const module = dot < 0 ? '' : name.slice(0, dot);
    groups.set(module, [...(groups.get(module) ?? []), name.slice(dot + 1)]);
  }
  return [...groups].map(([name, suffixes]) => {
    const sorted = [...suffixes].sort();
    const sides = (suffix: string) => `${suffix}[${shapes.get(name ? `${name}.${suffix}` : suffix)}]`;
    return { name, suffixes: sorted, signature: sorted.map(sides).join(' ') };
  });
}

/** Sorts of layer, each matched in its own order: the order between a convolution and its batch norm does not matter. */
function sortOf(layer: Layer): string {
  const weight = /weight\[([^\]]*)\]/.exec(layer.signature)?.[1] ?? '';
  return layer.suffixes.includes('running_mean') ? 'batchnorm' : `${weight.split(',').length} sides`;
}

function bySort(layers: readonly Layer[]): Map<string, Layer[]> {
  const sorts = new Map<string, Layer[]>();
  for (const layer of layers) sorts.set(sortOf(layer), [...(sorts.get(sortOf(layer)) ?? []), layer]);
  return sorts;
}

/** Pairs the i-th layer of each sort where numbers and shapes agree throughout; null where any sort disagrees. */
function pairInOrder(wanted: readonly Layer[], found: readonly Layer[]): Map<string, string> | null {
  const pairs = new Map<string, string>();
  const foundSorts = bySort(found);
  for (const [sort, layers] of bySort(wanted)) {
    const others = foundSorts.get(sort) ?? [];
    if (others.length !== layers.length) return null;
    for (const [i, layer] of layers.entries()) {
      if (layer.signature !== others[i].signature) return null;
      for (const suffix of layer.suffixes)
        pairs.set(`${layer.name}.${suffix}`, `${others[i].name}.${suffix}`);
    }
  }
  return pairs;
}

const sameShape = (a: readonly number[] | undefined, b: readonly number[] | undefined) =>
  a !== undefined && b !== undefined && a.join() === b.join();

/**
 * The tensor of each parameter. Where all names agree, by name. Else by order, as a whole first, since equal names can
 * mean other layers in a network numbered otherwise; only then the layers whose names agree nowhere.
 */
function pairNames(needed: Shapes, found: Shapes): Map<string, string> {
  const byName = new Map<string, string>();
  for (const [name, shape] of needed) if (sameShape(found.get(name), shape)) byName.set(name, name);
  if (byName.size === needed.size) return byName;
  const whole = pairInOrder(layersOf(needed), layersOf(found));
  if (whole) return whole;
  const isLeft = (name: string) => !byName.has(name);
  const left = (shapes: Shapes): Shapes => new Map([...shapes].filter(([name]) => isLeft(name)));
  const rest = pairInOrder(layersOf(left(needed)), layersOf(left(found)));
  return new Map([...byName, ...(rest ?? [])]);
}

/** The tensors that can be parameters; integers are masks, codes or counters. */
function candidateShapes(tensors: ReadonlyMap<string, StoredTensor>): Shapes {
  const floats = [...tensors.keys()].filter((name) => FLOATS.has(tensors.get(name)!.dtype));
  return new Map(inNetworkOrder(floats).map((name) => [name, tensors.get(name)!.shape]));
}

const asFloat32 = ({ data }: StoredTensor) =>
  data instanceof Float32Array ? data : Float32Array.from(data as Float64Array);

/**
 * Matches the tensors of a file with the parameters of `description`, by name, else by order and shape (each of
 * convolutions, dense layers and batch norms in network order). Parameters without a tensor are left out: the account
 * says which. Nothing is thrown.
 */
export function matchParameters(
  tensors: ReadonlyMap<string, StoredTensor>,
  description: NetworkDescription,
): { parameters: Parameters; account: MatchAccount } {
  const needed = parameterShapes(description);
  const found = candidateShapes(tensors);
  const pairs = pairNames(needed, found);
  const parameters: Parameters = new Map();
  const byOrder: { parameter: string; from: string }[] = [];
  const missing: string[] = [];
  const shapeMismatches: { parameter: string; needed: number[]; found: readonly number[] }[] = [];
  for (const [parameter, shape] of needed) {
    const from = pairs.get(parameter);
    if (from !== undefined) parameters.set(parameter, { shape, data: asFloat32(tensors.get(from)!) });
    else if (found.has(parameter))
      shapeMismatches.push({ parameter, needed: shape, found: found.get(parameter)! });
    else missing.push(parameter);
    if (from !== undefined && from !== parameter) byOrder.push({ parameter, from });
  }
  const used = new Set([...pairs.values(), ...shapeMismatches.map((mismatch) => mismatch.parameter)]);
  const unused = [...tensors.keys()].filter((name) => !used.has(name));
  const account = { matched: pairs.size, total: needed.size, byOrder, missing, unused, shapeMismatches };
  return { parameters, account };
}
