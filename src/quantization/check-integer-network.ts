import { largestOf } from '../bitplanes/per-plane';
import { encodingNames, planeEncoding } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import type { NetworkDescription } from '../networks/description';
import { validateDescription } from '../networks/node-shapes';
import { crossbarNodes } from './crossbar-layers';
import type { IntegerLayer, IntegerNetwork, PruningRecord } from './integer-network';
import { isPermutation } from './row-order';
import { rowCount } from './weight-matrix';

/** A network description of unknown origin. @throws InputError, beginning with `where`, when it is none or not folded */
export function checkedDescription(where: string, value: unknown): NetworkDescription {
  const description = value as NetworkDescription;
  try {
    validateDescription(description);
  } catch (error) {
    // What is no network at all fails in other ways.
    const reason = error instanceof InputError ? error.message : 'no network';
    throw new InputError(`${where}: metadata 'description': ${reason}`);
  }
  // Names become tensors and exported files.
  const named = description.nodes.find(({ name }) => /[/\\\0]|^\.*$/.test(name));
  if (named)
    throw new InputError(
      `${where}: metadata 'description': node name ${text(named.name)}; without /, \\ and more than dots is allowed`,
    );
  const norm = description.nodes.find(({ op }) => op === 'batchnorm');
  if (norm) throw new InputError(`${where}: metadata 'description': batch norm '${norm.name}' is not folded`);
  return description;
}

/** @throws InputError, beginning with `where`, naming the first field or tensor that is out of range */
export function checkIntegerNetwork(where: string, network: IntegerNetwork): void {
  const { description, layers, weightBits, mean, std, pruning } = network;
  const require = (good: boolean, line: string) => {
    if (!good) throw new InputError(`${where}: ${line}`);
  };
  require(isWhole(weightBits, 2, 8), `weightBits ${text(weightBits)} is not a whole number from 2 to 8`);
  const { channels } = description.input;
  for (const [name, list] of [
    ['mean', mean],
    ['std', std],
  ] as const) {
    const good = Array.isArray(list) && list.length === channels && list.every(Number.isFinite);
    require(good &&
      (name === 'mean' ||
        list.every(
          (x) => x > 0,
        )), `${name} ${text(list)} is not ${channels} numbers${name === 'std' ? ' above 0' : ''}`);
  }
  for (const node of crossbarNodes(description)) {
    const layer = layers.get(node.name);
    const columns = node.op === 'conv' ? node.outChannels : node.outFeatures;
    require(layer?.rows === rowCount(node) &&
      layer.columns ===
        columns, `tensor '${node.name}.codes' is [${layer?.rows}, ${layer?.columns}], its layer needs [${rowCount(node)}, ${columns}]`);
  }
  if (pruning !== undefined) {
    const fault = pruningFault(pruning, weightBits, [...layers.keys()]);
    require(fault === undefined, `metadata 'pruning': ${fault}`);
  }
  for (const node of crossbarNodes(description)) {
    const layer = layers.get(node.name)!;
    const fault =
      layerFault(layer, weightBits, pruning, node.input === 'input') ??
      rowOrderFault(layer) ??
      flipsFault(layer, pruning);
    require(fault === undefined, `layer '${node.name}': ${fault}`);
  }
  const apart = codedApart(network);
  require(apart === undefined, `${apart}`);
}

/** Layers that read the same numbers read the same codes. */
function codedApart({ description, layers }: IntegerNetwork): string | undefined {
  const first = new Map<string, IntegerLayer>();
  for (const { name, input } of crossbarNodes(description)) {
    const layer = layers.get(name)!;
    const other = first.get(input) ?? layer;
    first.set(input, other);
    for (const field of ['inputScale', 'inputBits', 'inputSigned'] as const)
      if (layer[field] !== other[field])
        return `layers '${other.name}' and '${name}' read the same input with ${field} ${other[field]} and ${layer[field]}; one is needed`;
  }
  return undefined;
}

function layerFault(
  layer: IntegerLayer,
  weightBits: number,
  pruning: PruningRecord | undefined,
  readsPicture: boolean,
): string | undefined {
  const { codes, scales, bias, inputScale, inputBits, inputSigned } = layer;
  const { minCode, maxCode } = planeEncoding(pruning?.encoding ?? 'sign-split', weightBits);
  const code = codes.find((value) => value < minCode || value > maxCode);
  if (code !== undefined) return `code ${code} is outside ${minCode}..${maxCode} of ${weightBits} bits`;
  const scale = scales.find((value) => !(value > 0 && value < Number.POSITIVE_INFINITY));
  if (scale !== undefined) return `scale ${scale} is not above 0`;
  const offset = bias.find((value) => !Number.isFinite(value));
  if (offset !== undefined) return `bias ${offset} is not finite`;
  if (!Number.isFinite(inputScale) || inputScale <= 0) return `inputScale ${text(inputScale)} is not above 0`;
  if (!isWhole(inputBits, 1, 8)) return `inputBits ${text(inputBits)} is not a whole number from 1 to 8`;
  if (typeof inputSigned !== 'boolean') return `inputSigned ${text(inputSigned)} is not true or false`;
  const dacBits = pruning?.dacBits ?? 1;
  if (inputSigned && dacBits > 1)
    return `inputSigned true: signed inputs need 1-bit DACs, not ${dacBits}-bit ones`;
  if (readsPicture && (inputScale !== 1 || inputBits !== 8 || inputSigned))
    return 'it reads the picture: inputScale 1, inputBits 8, inputSigned false are needed';
  return undefined;
}

function rowOrderFault({ rowOrder, rows }: IntegerLayer): string | undefined {
  if (!rowOrder) return undefined;
  const good = rowOrder.length === rows && isPermutation(rowOrder);
  return good ? undefined : `rowOrder does not hold every row from 0 to ${rows - 1} once`;
}

/** Flips belong to the tiles of a network pruned in offset encoding. */
function flipsFault(
  { flips, rows, columns }: IntegerLayer,
  pruning: PruningRecord | undefined,
): string | undefined {
  if (!flips) return undefined;
  if (pruning?.encoding !== 'offset') return 'flips are for offset encoding only';
  const tiles = Math.ceil(rows / pruning.tileRows);
  if (flips.length !== tiles * columns)
    return `flips: ${flips.length} for ${tiles} row tiles x ${columns} columns`;
  const flip = flips.find((value) => value > 1);
  return flip === undefined ? undefined : `flip ${flip} is not 0 or 1`;
}

function pruningFault(
  pruning: PruningRecord,
  weightBits: number,
  layers: readonly string[],
): string | undefined {
  const { tileRows, adcBits, encoding, cellBits, dacBits, bitLimit, valueLimit } = pruning ?? {};
  if (!isWhole(tileRows, 1, 65535)) return `tileRows ${text(tileRows)} is not a whole number from 1 to 65535`;
  if (!encodingNames.includes(encoding))
    return `encoding ${text(encoding)} is not one of ${encodingNames.join(', ')}`;
  if (cellBits !== undefined && !isWhole(cellBits, 1, encoding === 'csd' ? 1 : 4))
    return `cellBits ${text(cellBits)} is not a whole number from 1 to ${encoding === 'csd' ? '1 in csd' : 4}`;
  if (dacBits !== undefined && !isWhole(dacBits, 1, 8))
    return `dacBits ${text(dacBits)} is not a whole number from 1 to 8`;
  const { planes } = planeEncoding(encoding, weightBits, cellBits);
  const isList = (value: unknown, most: number) =>
    Array.isArray(value) && value.length === planes && value.every((each) => isWhole(each, 0, most));
  for (const name of layers) {
    const bits = typeof adcBits === 'object' ? adcBits?.[name] : adcBits;
    const where = typeof adcBits === 'object' ? ` of layer '${name}'` : '';
    if (!isWhole(bits, 1, 16) && !(where && isList(bits, 16) && largestOf(bits!) > 0))
      return `adcBits${where} ${text(bits)} is not a whole number from 1 to 16${where && `, or ${planes} from 0, one above`}`;
    const limit = bitLimit?.[name];
    if (!isWhole(limit, 0, 65535) && !isList(limit, 65535))
      return `bitLimit of layer '${name}' is ${text(limit)}, not a whole number from 0 or ${planes} of them`;
    if (valueLimit !== undefined && !isWhole(valueLimit?.[name], 0, 65535))
      return `valueLimit of layer '${name}' is ${text(valueLimit?.[name])}, not a whole number from 0`;
  }
  return undefined;
}

const isWhole = (value: unknown, low: number, high: number) =>
  Number.isInteger(value) && (value as number) >= low && (value as number) <= high;

const text = (value: unknown) => JSON.stringify(value) ?? 'missing';
