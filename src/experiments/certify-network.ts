import { certifyLayer, type LayerCertificate } from '../bitplanes/certify-layer';
import type { EncodingName } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';
import { hasFlips, type IntegerNetwork } from '../quantization/integer-network';
import { layerCodeMatrix } from '../quantization/layer-code-matrix';

export interface NetworkCertificate {
  /** Every layer keeps its limits, as far as there are any, so no conversion of any input can clip at `adcBits`. */
  readonly lossless: boolean;
  /** Whether there are limits to keep: of a pruned network, at the rows it was pruned for. */
  readonly limited: boolean;
  readonly tileRows: number;
  readonly encoding: EncodingName;
  readonly cellBits: number;
  /** What the network's record promises; undefined for an unpruned network. */
  readonly adcBits?: AdcBits;
  /** What its codes need: the largest over the layers. */
  readonly requiredAdcBits: number;
  /** Share of all weights that are not zero. */
  readonly nonzeroShare: number;
  readonly layers: readonly ({
    readonly name: string;
    readonly rows: number;
    readonly columns: number;
  } & LayerCertificate)[];
}

/**
 * Recounts the ones of every bit column from the stored codes alone.
 * @param tileRows R; default: what the network was pruned for, else it must be given
 */
export function certifyNetwork(network: IntegerNetwork, tileRows?: number): NetworkCertificate {
  const { pruning } = network;
  const rows = tileRows ?? pruning?.tileRows;
  if (rows === undefined)
    throw new InputError(
      'this network was not pruned, so its rows a conversion (R) are unknown: give --rows',
    );
  // Limits hold for the tiles they were made for; at another R only counts can be told.
  const limits = pruning && rows === pruning.tileRows ? pruning : undefined;
  if (!limits && hasFlips(network))
    throw new InputError(
      `--rows ${rows}: which columns are stored complemented is known only for tiles of ${pruning?.tileRows} rows`,
    );
  const { encoding = 'sign-split', cellBits = 1, dacBits = 1 } = pruning ?? {};
  const layers = [...network.layers.values()].map((layer) => ({
    name: layer.name,
    rows: layer.rows,
    columns: layer.columns,
    ...certifyLayer({
      ...layerCodeMatrix(layer, network, rows),
      dacBits,
      bitLimit: limits?.bitLimit[layer.name],
      valueLimit: limits?.valueLimit?.[layer.name],
      adcBits: limits && adcBitsOf(limits.adcBits, layer.name),
    }),
  }));
  const weights = layers.reduce((sum, layer) => sum + layer.rows * layer.columns, 0);
  return {
    lossless: layers.every((layer) => layer.holds),
    limited: limits !== undefined,
    tileRows: rows,
    encoding,
    cellBits,
    adcBits: limits?.adcBits,
    requiredAdcBits: Math.max(...layers.map((layer) => layer.requiredAdcBits)),
    nonzeroShare: layers.reduce((sum, layer) => sum + layer.nonzeros, 0) / weights,
    layers,
  };
}
