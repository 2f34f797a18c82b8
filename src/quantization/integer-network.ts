import type { PerPlane } from '../bitplanes/per-plane';
import type { EncodingName } from '../bitplanes/plane-encoding';
import type { NetworkDescription } from '../networks/description';
import type { AdcBits } from './adc-bits';

/**
 * One layer that lives on crossbars, as integers. y[m][n] = sum_k codes[k][n] * x[m][k] is computed on the crossbar;
 * y * scales[n] * inputScale + bias[n] follows digitally.
 */
export interface IntegerLayer {
  /** The node's name in the folded network. */
  readonly name: string;
  /** Rows: kernel * kernel * inChannels / groups in the order (ky, kx, c), or inFeatures. */
  readonly rows: number;
  /** Output channels. */
  readonly columns: number;
  /** [rows, columns], row-major, -127..127 at 8 bits; in two's complement and offset encoding also -128. */
  readonly codes: Int8Array;
  /**
   * Which row stands at each place of the crossbars, [rows]; absent: row i at place i. Row tile t holds the rows at places
   * tH..tH+H-1, H as `evenTileRows` has it. Codes stay in their own order: the order only says which word line each input drives.
   */
  readonly rowOrder?: Int32Array;
  /**
   * Offset encoding with flips: 1 where a (row tile, output channel) is stored complemented, [tiles][columns] for the R of
   * the pruning record. The codes are what is computed either way.
   */
  readonly flips?: Uint8Array;
  /** Weight scale of each output channel: weight = code * scale. */
  readonly scales: Float32Array;
  readonly bias: Float32Array;
  /** Input value = input code * inputScale. */
  readonly inputScale: number;
  /** Input codes are 0..2^inputBits-1, or two's complement when `inputSigned`. */
  readonly inputBits: number;
  readonly inputSigned: boolean;
}

/** A network with batch norm folded and every convolution and dense layer quantised. */
export interface IntegerNetwork {
  /** The folded description: no batch norm, every convolution with a bias. */
  readonly description: NetworkDescription;
  readonly weightBits: number;
  /** By node name, in network order. */
  readonly layers: ReadonlyMap<string, IntegerLayer>;
  /** Per channel, of pixels / 255; folded into the first layer, whose input is the uint8 picture itself. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** What the pruning promised; absent for an unpruned network. */
  readonly pruning?: PruningRecord;
}

/** Whether some columns are stored complemented. */
export function hasFlips({ layers }: Pick<IntegerNetwork, 'layers'>): boolean {
  return [...layers.values()].some(({ flips }) => flips !== undefined);
}

/** The settings a network was pruned with, and the limits it must keep. */
export interface PruningRecord {
  readonly method: string;
  /** R: rows of a crossbar, of which a conversion sums those that the layer has there, `evenTileRows`. */
  readonly tileRows: number;
  readonly encoding: EncodingName;
  /** Absent: 1. */
  readonly cellBits?: number;
  /** Bits an input DAC drives at once; absent: 1. */
  readonly dacBits?: number;
  /** k_b: ones (digit sum of multi-bit cells) allowed in a bit column, or one number a plane (lowest first), by layer. */
  readonly bitLimit: Readonly<Record<string, PerPlane>>;
  /** k_v: nonzero weights allowed in a (row tile, output channel), by layer; absent: no limit. */
  readonly valueLimit?: Readonly<Record<string, number>>;
  readonly adcBits: AdcBits;
}
