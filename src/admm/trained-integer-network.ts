import type { NetworkDescription, Parameters } from '../networks/description';
import { foldBatchNorm } from '../networks/fold-batch-norm';
import type { InferenceOptions, Pictures } from '../networks/inference';
import { buildIntegerNetwork, type QuantizationBits } from '../quantization/build-integer-network';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork } from '../quantization/integer-network';
import { restoreRows } from '../quantization/row-order';
import { weightMatrix } from '../quantization/weight-matrix';
import type { LayerCodes } from './network-admm';
import { columnFactors, type TrainedLayer } from './trained-layers';

/**
 * The integer network of a trained one whose weights already are codes * scales: batch norm is folded into scales and
 * biases, codes stay (negated where batch norm's factor is negative), input scales come from the calibration pictures.
 * @param parameters with batch norm; crossbar weights equal codes * scales
 * @param trained the crossbar layers, with the order of their rows
 * @param codes by layer, rows as they stand on the crossbars
 */
export function trainedIntegerNetwork(
  description: NetworkDescription,
  parameters: Parameters,
  trained: readonly TrainedLayer[],
  codes: ReadonlyMap<string, LayerCodes>,
  normalisation: InferenceOptions,
  calibration: Pictures,
  bits: QuantizationBits,
): IntegerNetwork {
  const folded = foldBatchNorm(description, parameters);
  const network = buildIntegerNetwork(
    folded.description,
    folded.parameters,
    normalisation,
    calibration,
    bits,
  );
  const layers = new Map(network.layers);
  for (const node of crossbarNodes(folded.description)) {
    const layer = network.layers.get(node.name)!;
    const weights = weightMatrix(node, folded.parameters, normalisation);
    const { rowOrder } = trained.find(({ name }) => name === node.name)!;
    const own = restoreRows(codes.get(node.name)!.codes, layer.columns, rowOrder);
    layers.set(node.name, {
      ...layer,
      ...foldedCodes(own, weights, layer.columns),
      ...(rowOrder && { rowOrder }),
    });
  }
  return { ...network, layers };
}

/** Codes and positive scales of folded weights that are each column's codes times one number. */
function foldedCodes(codes: Int8Array, weights: Float32Array, columns: number): LayerCodes {
  const factors = columnFactors(weights, codes, columns);
  return {
    codes: codes.map((code, i) => code * Math.sign(factors[i % columns])),
    scales: Float32Array.from(factors, (factor) => Math.abs(factor) || 1),
  };
}
