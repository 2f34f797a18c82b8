import { evenTileRows } from '../bitplanes/even-tile-rows';
import { InputError } from '../errors';
import { readSafetensors } from '../networks/read-safetensors';
import type { StoredTensor } from '../networks/stored-tensor';
import { type WritableTensor, writeSafetensors } from '../networks/write-safetensors';
import { checkedDescription, checkIntegerNetwork } from './check-integer-network';
import { crossbarNodes } from './crossbar-layers';
import type { IntegerLayer, IntegerNetwork, PruningRecord } from './integer-network';

const KIND = 'cim-pruning integer network';
/** 2: rows lie evenly on the row tiles (1: R rows on all but the last). */
const FORMAT = `${KIND} 2`;

interface StoredLayer {
  readonly inputScale: number;
  readonly inputBits: number;
  readonly inputSigned: boolean;
  /** Rows of its row tiles, of a pruned network: follows from R, but spares other readers the rule. */
  readonly tileRows?: number;
}

/**
 * Writes an integer network as safetensors, whole or not at all. For each crossbar layer L: `L.codes` (I8 [rows,
 * columns], rows in the order ky, kx, c), `L.scales` and `L.bias` (F32 [columns]), and, in offset encoding with flips,
 * `L.flips` (U8 [tiles, columns], 1: this tile of the channel is stored complemented); where rows stand in another order
 * on the crossbars, `L.rowOrder` (I32 [rows]: row tile t holds rows L.rowOrder[tH..tH+H-1] of L.codes; K rows
 * lie on ceil(K / R) tiles of H = ceil(K / tiles)). Metadata, each a JSON text:
 * `description` (the folded network), `layers` (input scale, bits and sign by layer, and the rows H of its row tiles), `weightBits`, `mean`, `std`,
 * `pruning` (method, tileRows, encoding, cellBits, dacBits; adcBits for all layers or by layer; bitLimit and valueLimit by
 * layer; of a layer, adcBits and bitLimit are one number or a list of one a plane, lowest first), and what `notes` adds
 * under other names.
 * @throws InputError where a scale or bias is not finite, or the file cannot be written
 */
export function saveIntegerNetwork(
  path: string,
  network: IntegerNetwork,
  notes: Readonly<Record<string, unknown>> = {},
): void {
  const tensors = new Map<string, WritableTensor>();
  const layers: Record<string, StoredLayer> = {};
  const { description, weightBits, mean, std, pruning } = network;
  for (const layer of network.layers.values()) {
    const { name, rows, columns, codes, rowOrder, flips, scales, bias } = layer;
    const { inputScale, inputBits, inputSigned } = layer;
    for (const [field, data] of Object.entries({ scales, bias, inputScale: [inputScale] })) {
      const bad = data.find((value) => !Number.isFinite(value));
      if (bad !== undefined) throw new InputError(`${path}: layer '${name}': ${field}: ${bad} is not finite`);
    }
    tensors.set(`${name}.codes`, { shape: [rows, columns], data: codes });
    if (rowOrder) tensors.set(`${name}.rowOrder`, { shape: [rows], data: rowOrder });
    if (flips) tensors.set(`${name}.flips`, { shape: [flips.length / columns, columns], data: flips });
    tensors.set(`${name}.scales`, { shape: [columns], data: scales });
    tensors.set(`${name}.bias`, { shape: [columns], data: bias });
    layers[name] = { inputScale, inputBits, inputSigned, tileRows: tileRowsOf(rows, pruning) };
  }
  const fields = { ...notes, description, layers, weightBits, mean, std, ...(pruning && { pruning }) };
  const metadata = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, JSON.stringify(value)]),
  );
  writeSafetensors(path, tensors, { format: FORMAT, ...metadata });
}

const tileRowsOf = (rows: number, pruning: PruningRecord | undefined) =>
  pruning && evenTileRows(rows, pruning.tileRows);

/** Whether a safetensors file's metadata are those of an integer network. */
export function isIntegerNetwork(metadata: Readonly<Record<string, string>>): boolean {
  return metadata.format?.startsWith(KIND) === true;
}

/**
 * Reads what `saveIntegerNetwork` wrote.
 * @throws InputError when the file is something else, or a tensor or a field is missing or out of range
 */
export function loadIntegerNetwork(path: string): IntegerNetwork {
  const { tensors, metadata } = readSafetensors(path);
  if (!isIntegerNetwork(metadata))
    throw new InputError(
      `${path}: no integer network (format '${metadata.format ?? 'none'}'); \`cim-pruning prune\` makes one`,
    );
  if (metadata.format !== FORMAT)
    throw new InputError(
      `${path}: written as '${metadata.format}', this version reads '${FORMAT}': prune it again`,
    );
  const field = <T>(name: string): T => parseField<T>(path, name, metadata[name]);
  const description = checkedDescription(path, field('description'));
  const stored = field<Record<string, StoredLayer> | null>('layers');
  const layers = new Map<string, IntegerLayer>();
  for (const { name } of crossbarNodes(description)) {
    const coding = stored?.[name];
    if (!coding) throw new InputError(`${path}: metadata 'layers' has no entry '${name}'`);
    const { inputScale, inputBits, inputSigned } = coding;
    layers.set(name, { ...storedLayer(path, name, tensors), inputScale, inputBits, inputSigned });
  }
  const network = {
    description,
    layers,
    weightBits: field<number>('weightBits'),
    mean: field<number[]>('mean'),
    std: field<number[]>('std'),
    ...(metadata.pruning !== undefined && { pruning: field<PruningRecord>('pruning') }),
  };
  checkIntegerNetwork(path, network);
  for (const { name, rows } of layers.values()) {
    const wanted = tileRowsOf(rows, network.pruning);
    const { tileRows } = stored![name];
    if (tileRows !== wanted)
      throw new InputError(`${path}: layer '${name}': tileRows ${tileRows} is not ${wanted}, as R asks for`);
  }
  return network;
}

function storedLayer(path: string, name: string, tensors: ReadonlyMap<string, StoredTensor>) {
  const codes = tensors.get(`${name}.codes`);
  if (!(codes?.data instanceof Int8Array) || codes.shape.length !== 2)
    throw new InputError(`${path}: tensor '${name}.codes' is missing or not I8 [rows, columns]`);
  const [rows, columns] = codes.shape;
  const vector = (field: 'scales' | 'bias'): Float32Array => {
    const data = tensors.get(`${name}.${field}`)?.data;
    if (!(data instanceof Float32Array) || data.length !== columns)
      throw new InputError(`${path}: tensor '${name}.${field}' is missing or not F32 [${columns}]`);
    return data;
  };
  const flips = tensors.get(`${name}.flips`)?.data;
  if (flips !== undefined && !(flips instanceof Uint8Array))
    throw new InputError(`${path}: tensor '${name}.flips' is not U8 [tiles, columns]`);
  const rowOrder = tensors.get(`${name}.rowOrder`)?.data;
  if (rowOrder !== undefined && !(rowOrder instanceof Int32Array))
    throw new InputError(`${path}: tensor '${name}.rowOrder' is not I32 [rows]`);
  return {
    name,
    rows,
    columns,
    codes: codes.data,
    ...(rowOrder && { rowOrder }),
    ...(flips && { flips }),
    scales: vector('scales'),
    bias: vector('bias'),
  };
}

function parseField<T>(path: string, name: string, text: string | undefined): T {
  if (text === undefined) throw new InputError(`${path}: metadata '${name}' is missing`);
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new InputError(`${path}: metadata '${name}' is no JSON`);
  }
}
