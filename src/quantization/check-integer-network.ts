import { InputError } from '../errors';
import type { NetworkDescription } from '../networks/description';
import { validateDescription } from '../networks/node-shapes';
import { rowCount } from './build-integer-network';
import { crossbarNodes } from './crossbar-layers';
import type { IntegerLayer, IntegerNetwork, PruningRecord } from './integer-network';
import { largestCode } from './weight-codes';

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
    const fault = layerFault(layer!, weightBits, node.input === 'input');
    require(fault === undefined, `layer '${node.name}': ${fault}`);
  }
  if (pruning !== undefined) {
    const fault = pruningFault(pruning, [...layers.keys()]);
    require(fault === undefined, `metadata 'pruning': ${fault}`);
  }
}

function layerFault(layer: IntegerLayer, weightBits: number, readsPicture: boolean): string | undefined {
  const { codes, scales, bias, inputScale, inputBits, inputSigned } = layer;
  const limit = largestCode(weightBits);
  const code = codes.find((value) => Math.abs(value) > limit);
  if (code !== undefined) return `code ${code} is outside -${limit}..${limit} of ${weightBits} bits`;
  const scale = scales.find((value) => !(value > 0 && value < Number.POSITIVE_INFINITY));
  if (scale !== undefined) return `scale ${scale} is not above 0`;
  const offset = bias.find((value) => !Number.isFinite(value));
  if (offset !== undefined) return `bias ${offset} is not finite`;
  if (!Number.isFinite(inputScale) || inputScale <= 0) return `inputScale ${text(inputScale)} is not above 0`;
  if (!isWhole(inputBits, 1, 8)) return `inputBits ${text(inputBits)} is not a whole number from 1 to 8`;
  if (typeof inputSigned !== 'boolean') return `inputSigned ${text(inputSigned)} is not true or false`;
  if (readsPicture && (inputScale !== 1 || inputBits !== 8 || inputSigned))
    return 'it reads the picture: inputScale 1, inputBits 8, inputSigned false are needed';
  return undefined;
}

function pruningFault(pruning: PruningRecord, layers: readonly string[]): string | undefined {
  const { tileRows, adcBits, encoding, bitLimit, valueLimit } = pruning ?? {};
  if (!isWhole(tileRows, 1, 65535)) return `tileRows ${text(tileRows)} is not a whole number from 1 to 65535`;
  for (const name of layers) {
    const bits = typeof adcBits === 'object' ? adcBits?.[name] : adcBits;
    const where = typeof adcBits === 'object' ? ` of layer '${name}'` : '';
    if (!isWhole(bits, 1, 16)) return `adcBits${where} ${text(bits)} is not a whole number from 1 to 16`;
  }
  if (encoding !== 'sign-split') return `encoding ${text(encoding)} is not "sign-split"`;
  const limits = { bitLimit, ...(valueLimit !== undefined && { valueLimit }) };
  for (const [field, byLayer] of Object.entries(limits))
    for (const name of layers)
      if (!isWhole(byLayer?.[name], 0, 65535))
        return `${field} of layer '${name}' is ${text(byLayer?.[name])}, not a whole number from 0`;
  return undefined;
}

const isWhole = (value: unknown, low: number, high: number) =>
  Number.isInteger(value) && (value as number) >= low && (value as number) <= high;

const text = (value: unknown) => JSON.stringify(value) ?? 'missing';
