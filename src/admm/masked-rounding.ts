import type { DigitMasks, NearestCodes } from '../projections/nearest-codes';
import { DType, dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { TrainedLayer } from './trained-layers';

/** A layer's frozen bits: rows of all arrays in the order of the weight vector. */
export interface MaskedLayer {
  readonly layer: TrainedLayer;
  /** Digits each weight may use, [rows * columns]. */
  readonly masks: DigitMasks;
  /** Crossbar weight = code * scale, [columns]. */
  readonly scales: Float32Array;
}

/** Rounding under frozen bits, as kernels of the engine. */
export interface MaskedRounding {
  /** The weight vector [length] with every crossbar weight at the nearest value that its bits can make. */
  round(vector: Tensor): Tensor;
  /** Share of its gradient that each weight follows, [length]: `prunedGradient` without bits, else 1; undefined: all of it. */
  readonly gradientShares: Tensor | undefined;
  /** Frees its constants. */
  dispose(): void;
}

/**
 * Prepares the rounding of a weight vector of `length` numbers. Only weights that have bits are touched, at 2 bits and
 * 128 rows at most a third of them; the others of the layers are 0, what lies outside all layers passes unchanged. Decides as
 * `nearestWithDigits` does, to the bit.
 */
export function createMaskedRounding(
  masked: readonly MaskedLayer[],
  length: number,
  nearest: NearestCodes,
  prunedGradient = 1,
): MaskedRounding {
  const { places, factors, scales, values, tableRows } = constantsOf(masked, length, nearest);
  const table = Float32Array.from(nearest.table());
  const count = factors.length;
  const constants = {
    places: upload(places, [places.length]),
    factors: upload(factors, [count]),
    scales: upload(scales, [count]),
    values: upload(values, [count]),
    tableRows: upload(tableRows, [count]),
    table: upload(table, [table.length]),
    two: k.scalar(2),
    toZero: k.scalar(nearest.toZero),
    low: k.scalar(0),
    high: k.scalar(nearest.width - 1),
  };
  const gradientShares =
    prunedGradient < 1 ? upload(sharesOf(places, length, prunedGradient), [length]) : undefined;
  const held = [...Object.values(constants), ...(gradientShares ? [gradientShares] : [])];
  for (const tensor of held) keep(tensor);
  return {
    gradientShares,
    round: (vector) =>
      scope(() => {
        const [weights, others] = k.split(k.gatherRows(vector, constants.places), [
          count,
          places.length - count,
        ]);
        const codes = k.divide(k.multiply(weights, constants.factors), constants.scales);
        const halves = k.add(k.multiply(codes, constants.two), constants.toZero);
        const inRow = k.cast(k.clip(halves, constants.low, constants.high), DType.int32);
        const inTable = k.add(inRow, constants.tableRows);
        const rounded = k.multiply(k.gatherRows(constants.table, inTable), constants.values);
        return k.scatter(constants.places, k.concat([rounded, others]), length);
      }),
    dispose: () => dispose(...held),
  };
}

/** What each weight that has bits needs, in the order of the vector; `places` goes on with what no layer holds. */
function constantsOf(masked: readonly MaskedLayer[], length: number, nearest: NearestCodes) {
  const count = masked.reduce(
    (sum, { masks }) => sum + masks.reduce((own, digits) => own + (digits === 0 ? 0 : 1), 0),
    0,
  );
  const held = masked.reduce((sum, { masks }) => sum + masks.length, 0);
  const places = new Int32Array(count + length - held);
  const constants = {
    places,
    /** Crossbar weight = trained weight * factor. */
    factors: new Float32Array(count),
    scales: new Float32Array(count),
    /** Trained weight of code 1. */
    values: new Float32Array(count),
    /** Where the mask's part of the table begins. */
    tableRows: new Int32Array(count),
  };
  const inLayer = new Uint8Array(length);
  let next = 0;
  for (const { layer, masks, scales } of masked) {
    const { offset, columns } = layer;
    inLayer.fill(1, offset, offset + masks.length);
    for (let i = 0; i < masks.length; i++) {
      if (masks[i] === 0) continue;
      const factor = layer.factors?.[i] ?? 1;
      const scale = scales[i % columns];
      places[next] = offset + i;
      constants.factors[next] = factor;
      constants.scales[next] = scale;
      constants.values[next] = scale / factor;
      constants.tableRows[next] = nearest.rowOf(masks[i]) * nearest.width;
      next++;
    }
  }
  for (let at = 0; at < length; at++) if (inLayer[at] === 0) places[next++] = at;
  return constants;
}

/** 1 at the given places, all but those of weights without bits; `share` at the others. */
function sharesOf(places: Int32Array, length: number, share: number): Float32Array {
  const shares = new Float32Array(length).fill(share);
  for (const place of places) shares[place] = 1;
  return shares;
}
