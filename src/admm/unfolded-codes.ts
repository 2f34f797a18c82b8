import { certifyLayer } from '../bitplanes/certify-layer';
import { ofPlane, planeList } from '../bitplanes/per-plane';
import { type EncodingName, planeEncoding } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import { channelMap, foldBatchNorm, foldedNorms } from '../networks/fold-batch-norm';
import type { InferenceOptions } from '../networks/inference';
import { type AdcBits, adcBitsOf, adcBitsText } from '../quantization/adc-bits';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork } from '../quantization/integer-network';
import { layerCodeMatrix } from '../quantization/layer-code-matrix';
import { permuteRows } from '../quantization/row-order';
import { weightMatrix } from '../quantization/weight-matrix';
import { parameterLayout } from '../training/parameter-vector';
import type { LayerCodes } from './network-admm';
import { columnFactors, layerWeights, type TrainedLayer } from './trained-layers';

/** The float network that was pruned, and the crossbar it is to be trained for. */
export interface UnfoldingOptions {
  readonly description: NetworkDescription;
  readonly parameters: Parameters;
  readonly normalisation: InferenceOptions;
  readonly settings: TrainedLimits;
}

/** What the training keeps its codes within. */
export interface TrainedLimits {
  readonly tileRows: number;
  readonly adcBits: AdcBits;
  readonly valueLimit?: number;
  /** Default `sign-split`. */
  readonly encoding?: EncodingName;
  readonly weightBits?: number;
}

/** Limits that every network pruned for this R keeps: for a training that chooses bits itself and takes weights alone. */
export function anyBits(start: IntegerNetwork, tileRows: number): TrainedLimits {
  return { tileRows, adcBits: 8, encoding: start.pruning?.encoding };
}

/**
 * A pruned network's codes and scales before batch norm's factors went into them, rows as they stand on the crossbars.
 * @param layers of the float network, with the pruned network's order of rows
 * @param trained the float network's weight vector
 * @throws InputError for a network of other layers, R or encoding, or of more ADC bits, nonzeros or weight bits than the training may use
 */
export function unfoldedCodes(
  start: IntegerNetwork,
  { description, parameters, normalisation, settings }: UnfoldingOptions,
  layers: readonly TrainedLayer[],
  trained: Float32Array,
): Map<string, LayerCodes> {
  requireLimits(start, settings, layers);
  const folded = foldBatchNorm(description, parameters);
  const nodes = new Map(crossbarNodes(folded.description).map((node) => [node.name as string, node]));
  return new Map(
    layers.map((layer) => {
      const { name, rows, columns } = layer;
      const pruned = start.layers.get(name);
      if (pruned?.rows !== rows || pruned.columns !== columns)
        throw new InputError(`start: layer '${name}' is missing or has another shape`);
      const { rowOrder } = layer;
      const matrix = weightMatrix(nodes.get(name)!, folded.parameters, normalisation);
      const own = layerWeights(layer, trained);
      const factors = columnFactors(permuteRows(matrix, columns, rowOrder), own, columns);
      const codes = permuteRows(pruned.codes, columns, rowOrder);
      return [
        name,
        {
          codes: codes.map((code, i) => code * Math.sign(factors[i % columns])),
          scales: pruned.scales.map((scale, n) => scale / (Math.abs(factors[n]) || 1)),
        },
      ];
    }),
  );
}

/** @throws InputError unless `start` keeps every limit of the training */
function requireLimits(
  start: IntegerNetwork,
  { tileRows, adcBits, valueLimit, encoding = 'sign-split', weightBits = 8 }: TrainedLimits,
  layers: readonly TrainedLayer[],
): void {
  const { pruning: record, weightBits: own } = start;
  // Layers that are missing are told elsewhere.
  const names = layers.map(({ name }) => name).filter((name) => start.layers.has(name));
  const fits =
    record?.tileRows === tileRows &&
    record.encoding === encoding &&
    own <= weightBits &&
    names.every((name) => {
      const { planes } = planeEncoding(encoding, own, record.cellBits);
      const bits = planeList('start: adcBits', adcBitsOf(record.adcBits, name), planes);
      return bits.every((each, plane) => each <= ofPlane(adcBitsOf(adcBits, name), plane));
    });
  if (!fits)
    throw new InputError(
      `start: ${record ? `pruned for R = ${record.tileRows}, ${adcBitsText(record.adcBits)} ADC bits, ${record.encoding}, ${own}-bit weights` : 'not pruned'}; R = ${tileRows}, at most ${adcBitsText(adcBits)} bits, ${encoding}, at most ${weightBits}-bit weights is needed`,
    );
  if (valueLimit !== undefined)
    for (const name of names) {
      const { maxValues } = certifyLayer(layerCodeMatrix(start.layers.get(name)!, start, tileRows));
      if (maxValues > valueLimit)
        throw new InputError(
          `start: layer '${name}' holds ${maxValues} nonzeros in a (row tile, output channel), more than valueLimit ${valueLimit}`,
        );
    }
}

/**
 * Writes a pruned network's biases into the weight vector, so that batch norm by its running statistics, after weights
 * of `unfoldedCodes`, gives what the pruned network computes.
 * @param parameters of the float network: statistics and scales of its batch norms, biases of its convolutions
 */
export function writeBiases(
  start: IntegerNetwork,
  description: NetworkDescription,
  parameters: Parameters,
  weights: Float32Array,
): void {
  const slots = new Map(parameterLayout(description).slots.map((slot) => [slot.name, slot]));
  const norms = foldedNorms(description);
  for (const { name } of crossbarNodes(description)) {
    const wanted = start.layers.get(name)!.bias;
    const own = parameters.get(`${name}.bias`)?.data;
    const norm = norms.get(name);
    if (!norm) {
      weights.set(wanted, slots.get(`${name}.bias`)!.offset);
      continue;
    }
    const { factor, mean } = channelMap(norm, parameters);
    const shift = wanted.map((bias, c) => bias + factor[c] * (mean[c] - (own?.[c] ?? 0)));
    weights.set(shift, slots.get(`${norm.name}.bias`)!.offset);
  }
}
