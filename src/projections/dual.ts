import type { Column } from './column';

/**
 * Lagrangian relaxation of one column. With multipliers l >= 0 for every bit column (side * planes + plane) and, last,
 * the value limit, rows part company: g(l) = sum_i min_c [ d_i (m_i - c)^2 + L(c) ] - sum l * limit, where L(c) is the
 * sum of the multipliers of c's bits (+ that of the value limit if c > 0). g(l) bounds every feasible cost from below.
 */
export interface Dual {
  readonly column: Column;
  /** Filled by `relax`: the minimising code of every row, what it costs with L, and what all of them use. */
  readonly codes: Uint8Array;
  readonly usage: Int32Array;
  nonzeros: number;
  /** L of every code, by side: penalty[side * 128 + code]. */
  readonly penalty: Float64Array;
  readonly envelope: Envelope;
  readonly costs: Float64Array;
}

/** Codes that can be a row's minimum, ascending, and the magnitudes where one hands over to the next. */
interface Envelope {
  count: number;
  readonly codes: Uint8Array;
  readonly heights: Float64Array;
  readonly borders: Float64Array;
}

export function createDual(column: Column): Dual {
  const capacity = column.magnitude.length;
  return {
    column,
    codes: new Uint8Array(capacity),
    usage: new Int32Array(2 * column.limits.planes),
    nonzeros: 0,
    penalty: new Float64Array(256),
    envelope: {
      count: 0,
      codes: new Uint8Array(128),
      heights: new Float64Array(128),
      borders: new Float64Array(128),
    },
    costs: new Float64Array(capacity),
  };
}

/** Multipliers a column has: 2 sides x planes, and the value limit's. */
export function multiplierCount(planes: number): number {
  return 2 * planes + 1;
}

/** Evaluates g at `multipliers`; leaves codes, usage, nonzeros and penalties of the minimum in `dual`. */
export function relax(dual: Dual, multipliers: Float64Array): number {
  const { column, codes, usage } = dual;
  const { planes, bits, values } = column.limits;
  usage.fill(0);
  dual.nonzeros = 0;
  let value = 0;
  for (let side = 0; side < column.sides; side++) {
    fillPenalty(dual, multipliers, side);
    buildEnvelope(dual, side);
    value += minimiseRows(dual, side);
    const base = side * planes;
    for (let row = column.starts[side]; row < column.starts[side + 1]; row++) {
      let code = codes[row];
      if (code === 0) continue;
      dual.nonzeros++;
      while (code !== 0) {
        usage[base + 31 - Math.clz32(code & -code)]++;
        code &= code - 1;
      }
    }
    for (let plane = 0; plane < planes; plane++) value -= multipliers[base + plane] * bits[plane];
  }
  if (values < Infinity) value -= multipliers[2 * planes] * values;
  return value;
}

function fillPenalty(dual: Dual, multipliers: Float64Array, side: number): void {
  const { planes } = dual.column.limits;
  const penalty = dual.penalty.subarray(side * 128, side * 128 + 128);
  const base = side * planes;
  const nonzero = multipliers[2 * planes];
  penalty[0] = 0;
  for (let plane = 0; plane < planes; plane++) {
    const bit = 1 << plane;
    const price = multipliers[base + plane];
    penalty[bit] = price + nonzero;
    for (let low = 1; low < bit; low++) penalty[bit | low] = penalty[low] + price;
  }
}

/**
 * d (m - c)^2 + L(c) is smallest, over c, on the lower hull of the points (c, c^2 + L(c)/d): one hull serves every m.
 * As 1/d grows hull points only vanish, so the hull of the largest d holds every row's minimum.
 */
function buildEnvelope(dual: Dual, side: number): void {
  const { codes, heights, borders } = dual.envelope;
  const { penalty } = dual;
  const base = side * 128;
  const inverse = 1 / dual.column.maxCurvature;
  let count = 0;
  for (let code = 0; code <= dual.column.limits.maxMagnitude; code++) {
    const height = code * code + penalty[base + code] * inverse;
    let border = -Infinity;
    while (count > 0) {
      border = (height - heights[count - 1]) / (2 * (code - codes[count - 1]));
      if (border > borders[count - 1]) break;
      count--;
      border = -Infinity;
    }
    codes[count] = code;
    heights[count] = height;
    borders[count] = border;
    count++;
  }
  dual.envelope.count = count;
}

/** Each row's minimum of d (m - c)^2 + L(c) over the envelope; returns their sum. */
function minimiseRows(dual: Dual, side: number): number {
  const { column, penalty, costs } = dual;
  const { codes, count, borders } = dual.envelope;
  const { magnitude, curvature } = column;
  const base = side * 128;
  const end = column.starts[side + 1];
  let at = count - 1;
  let sum = 0;
  for (let row = column.starts[side]; row < end; row++) {
    const size = magnitude[row];
    const weight = curvature[row];
    // Magnitudes fall from row to row, so the place on the hull only moves down.
    while (at > 0 && size < borders[at]) at--;
    let code = codes[at];
    let error = size - code;
    let best = weight * error * error + penalty[base + code];
    if (!column.uniform && weight !== column.maxCurvature) {
      // A smaller d weighs L more: cheaper codes on either side may win, until distance alone costs more.
      const from = at;
      for (let other = from - 1; other >= 0; other--) {
        error = size - codes[other];
        const distance = weight * error * error;
        if (error > 0 && distance >= best) break;
        const cost = distance + penalty[base + codes[other]];
        if (cost < best) {
          best = cost;
          code = codes[other];
        }
      }
      for (let other = from + 1; other < count; other++) {
        error = size - codes[other];
        const distance = weight * error * error;
        if (error < 0 && distance >= best) break;
        const cost = distance + penalty[base + codes[other]];
        if (cost < best) {
          best = cost;
          code = codes[other];
        }
      }
    }
    costs[row] = best;
    dual.codes[row] = code;
    sum += best;
  }
  return sum;
}
