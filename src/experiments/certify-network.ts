import { certifyLayer, type LayerCertificate } from '../bitplanes/certify-layer';
import { InputError } from '../errors';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';
import type { IntegerNetwork } from '../quantization/integer-network';

export interface NetworkCertificate {
  /** Every layer keeps its limits, so no conversion of any input can clip at `adcBits`. */
  readonly lossless: boolean;
  readonly tileRows: number;
  readonly encoding: 'sign-split';
  /** What the network's record promises; undefined for an unpruned network. */
  readonly adcBits?: AdcBits;
  /** What its codes need: the largest over the layers. */
  readonly requiredAdcBits: number;
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
  const layers = [...network.layers.values()].map((layer) => ({
    name: layer.name,
    rows: layer.rows,
    columns: layer.columns,
    ...certifyLayer({
      codes: layer.codes,
      rows: layer.rows,
      columns: layer.columns,
      tileRows: rows,
      weightBits: network.weightBits,
      bitLimit: limits?.bitLimit[layer.name],
      valueLimit: limits?.valueLimit?.[layer.name],
      adcBits: limits && adcBitsOf(limits.adcBits, layer.name),
    }),
  }));
  return {
    lossless: layers.every((layer) => layer.holds),
    tileRows: rows,
    encoding: 'sign-split',
    adcBits: limits?.adcBits,
    requiredAdcBits: Math.max(...layers.map((layer) => layer.requiredAdcBits)),
    layers,
  };
}
