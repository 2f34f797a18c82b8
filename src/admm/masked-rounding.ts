import { nearestPlace, nearestTable } from '../projections/nearest-with-mask';
import { DType, dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { TrainedLayer } from './trained-layers';

/** A layer's frozen bits: rows of all arrays in the order of the weight vector. */
export interface MaskedLayer {
  readonly layer: TrainedLayer;
  /** Bits each weight may use, [rows * columns]. */
  readonly mask: Uint8Array;
  /** Polarity that holds them, [rows * columns]. */
  readonly sign: Int8Array;
  /** Crossbar weight = code * scale, [columns]. */
  readonly scales: Float32Array;
}

/** Rounding under frozen bits, as kernels of the engine. */
export interface MaskedRounding {
  /** The weight vector [length] with every crossbar weight at the nearest value that its bits can make. */
  round(vector: Tensor): Tensor;
  /** Frees its constants. */
  dispose(): void;
}

/**
 * Prepares the rounding of a weight vector of `length` numbers. Only weights that have bits are touched, at 2 bits and
 * 128 rows at most a third of them; the others of the layers are 0, what lies outside all layers passes unchanged. Decides as
 * `nearestWithMask` does, to the bit.
 */
export function createMaskedRounding(masked: readonly MaskedLayer[], length: number): MaskedRounding {
  const { places, factors, scales, doubledSigns, values, tableRows } = constantsOf(masked, length);
  const count = factors.length;
  const constants = {
    places: upload(places, [places.length]),
    factors: upload(factors, [count]),
    scales: upload(scales, [count]),
    doubledSigns: upload(doubledSigns, [count]),
    values: upload(values, [count]),
    tableRows: upload(tableRows, [count]),
  };
  for (const tensor of Object.values(constants)) keep(tensor);
  const table = k.constant('nearest codes', () =>
    upload(Float32Array.from(nearestTable()), [nearestTable().length]),
  );
  const low = k.constant('no half', () => k.scalar(0));
  const high = k.constant('255 halves', () => k.scalar(255));
  return {
    round: (vector) =>
      scope(() => {
        const [weights, others] = k.split(k.gatherRows(vector, constants.places), [
          count,
          places.length - count,
        ]);
        const codes = k.divide(k.multiply(weights, constants.factors), constants.scales);
        const halves = k.clip(k.multiply(codes, constants.doubledSigns), low, high);
        const inTable = k.add(k.cast(halves, DType.int32), constants.tableRows);
        const rounded = k.multiply(k.gatherRows(table, inTable), constants.values);
        return k.scatter(constants.places, k.concat([rounded, others]), length);
      }),
    dispose: () => dispose(...Object.values(constants)),
  };
}

/** What each weight that has bits needs, in the order of the vector; `places` goes on with what no layer holds. */
function constantsOf(masked: readonly MaskedLayer[], length: number) {
  const count = masked.reduce(
    (sum, { mask }) => sum + mask.reduce((own, bits) => own + (bits === 0 ? 0 : 1), 0),
    0,
  );
  const held = masked.reduce((sum, { mask }) => sum + mask.length, 0);
  const places = new Int32Array(count + length - held);
  const constants = {
    places,
    /** Crossbar weight = trained weight * factor. */
    factors: new Float32Array(count),
    scales: new Float32Array(count),
    /** The table is over halves of a code. */
    doubledSigns: new Float32Array(count),
    /** Trained weight of code 1. */
    values: new Float32Array(count),
    /** Where the mask's part of the table begins. */
    tableRows: new Int32Array(count),
  };
  const inLayer = new Uint8Array(length);
  let next = 0;
  for (const { layer, mask, sign, scales } of masked) {
    const { offset, columns } = layer;
    inLayer.fill(1, offset, offset + mask.length);
    for (let i = 0; i < mask.length; i++) {
      if (mask[i] === 0) continue;
      const factor = layer.factors?.[i] ?? 1;
      const scale = scales[i % columns];
      places[next] = offset + i;
      constants.factors[next] = factor;
      constants.scales[next] = scale;
      constants.doubledSigns[next] = 2 * sign[i];
      constants.values[next] = (sign[i] * scale) / factor;
      constants.tableRows[next] = nearestPlace(0, mask[i]);
      next++;
    }
  }
  for (let at = 0; at < length; at++) if (inLayer[at] === 0) places[next++] = at;
  return constants;
}
