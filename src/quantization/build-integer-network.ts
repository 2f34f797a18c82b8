import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import type { InferenceOptions, Pictures } from '../networks/inference';
import { inputsOf } from '../networks/node-shapes';
import { isNonNegative } from '../networks/non-negative';
import type { OnProgress } from '../progress';
import { activationScales } from './activation-scales';
import { crossbarNodes } from './crossbar-layers';
import type { IntegerLayer, IntegerNetwork } from './integer-network';
import { maxAbsScales, quantizeWeights } from './weight-codes';
import { rowCount, weightMatrix } from './weight-matrix';

export interface QuantizationBits {
  /** 2 to 8. */
  readonly weightBits: number;
  /** 1 to 8. */
  readonly inputBits: number;
}

/**
 * Quantises a folded network: weights to symmetric codes with a scale for each output channel, crossbar inputs to codes
 * with the scale of least error on the calibration pictures. No labels are needed.
 * @throws InputError for bits out of range and for a network that crossbars cannot take
 */
export function buildIntegerNetwork(
  description: NetworkDescription,
  parameters: Parameters,
  options: InferenceOptions,
  calibration: Pictures,
  { weightBits, inputBits }: QuantizationBits,
  onProgress?: OnProgress,
): IntegerNetwork {
  checkBits(weightBits, inputBits);
  requireMappable(description, inputBits);
  const inputScales = activationScales(description, parameters, options, calibration, inputBits, onProgress);
  const layers = new Map<string, IntegerLayer>();
  for (const node of crossbarNodes(description)) {
    const rows = rowCount(node);
    const columns = node.op === 'conv' ? node.outChannels : node.outFeatures;
    layers.set(node.name, {
      name: node.name,
      rows,
      columns,
      ...codedWeights(weightMatrix(node, parameters, options), { rows, columns }, weightBits),
      bias: parameters.get(`${node.name}.bias`)?.data.slice() ?? new Float32Array(columns),
      inputScale: inputScales.get(node.input)!,
      inputBits: node.input === 'input' ? 8 : inputBits,
      inputSigned: !isNonNegative(description, node.input),
    });
  }
  return { description, weightBits, layers, mean: options.mean, std: options.std };
}

/**
 * The network that `buildIntegerNetwork` gives for other weight bits, without measuring its inputs again.
 * @param network unpruned, built from the same parameters
 * @throws InputError for bits out of range
 */
export function withWeightBits(
  network: IntegerNetwork,
  parameters: Parameters,
  weightBits: number,
): IntegerNetwork {
  checkBits(weightBits, 8);
  const layers = new Map(network.layers);
  for (const node of crossbarNodes(network.description)) {
    const layer = layers.get(node.name)!;
    const weights = weightMatrix(node, parameters, network);
    layers.set(node.name, { ...layer, ...codedWeights(weights, layer, weightBits) });
  }
  return { ...network, weightBits, layers };
}

/** Codes with the scales of the largest weights. */
function codedWeights(
  weights: Float32Array,
  { rows, columns }: Pick<IntegerLayer, 'rows' | 'columns'>,
  weightBits: number,
) {
  const scales = maxAbsScales(weights, rows, columns, weightBits);
  return { codes: quantizeWeights(weights, scales, weightBits), scales };
}

function checkBits(weightBits: number, inputBits: number): void {
  checkWhole('weightBits', weightBits, 2, 8);
  checkWhole('inputBits', inputBits, 1, 8);
}

/** The picture has codes (its pixels) only where a crossbar reads it; and one bit cannot hold both signs. */
function requireMappable(description: NetworkDescription, inputBits: number): void {
  const crossbars = new Set<string>(crossbarNodes(description).map(({ name }) => name));
  for (const node of description.nodes) {
    const where = `network ${description.name}, node '${node.name}'`;
    if (inputsOf(node).includes('input') && !crossbars.has(node.name))
      throw new InputError(`${where}: only convolutions may read the picture, this is a ${node.op}`);
  }
  const signed = crossbarNodes(description).find(({ input }) => !isNonNegative(description, input));
  if (signed && inputBits < 2)
    throw new InputError(
      `inputBits ${inputBits}: the input of layer '${signed.name}' has both signs and needs at least 2`,
    );
}
