import fc from 'fast-check';

export interface SmallProblem {
  readonly targets: Float64Array;
  readonly curvature?: Float64Array;
  readonly weightBits: number;
  readonly bitLimit: number | readonly number[];
  readonly valueLimit?: number;
}

/** Limits of a problem by plane. */
export function planeLimits({ weightBits, bitLimit }: SmallProblem): readonly number[] {
  return typeof bitLimit === 'object' ? bitLimit : new Array<number>(weightBits - 1).fill(bitLimit);
}

export function errorOf({ targets, curvature }: SmallProblem, codes: ArrayLike<number>): number {
  return targets.reduce((sum, target, i) => sum + (curvature?.[i] ?? 1) * (target - codes[i]) ** 2, 0);
}

/** Written apart from the library's counters on purpose. */
export function keepsLimits(problem: SmallProblem, codes: ArrayLike<number>): boolean {
  const limits = planeLimits(problem);
  let nonzeros = 0;
  const ones = [new Map<number, number>(), new Map<number, number>()];
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (Math.abs(code) > 2 ** limits.length - 1) return false;
    if (code !== 0) nonzeros++;
    limits.forEach((_, plane) => {
      if (Math.floor(Math.abs(code) / 2 ** plane) % 2 === 0) return;
      const counts = ones[code > 0 ? 0 : 1];
      counts.set(plane, (counts.get(plane) ?? 0) + 1);
    });
  }
  const bitsFit = limits.every((limit, plane) => ones.every((counts) => (counts.get(plane) ?? 0) <= limit));
  return bitsFit && nonzeros <= (problem.valueLimit ?? Infinity);
}

/** Most that the rows of `withUnevenRows` cost. */
export const UNEVEN_ERROR = 2 * 0.6 ** 2;

/** A problem's rows, all of curvature 1, and two that hardly ever pay of hardly another one. */
export function withUnevenRows({ targets: rows }: Pick<SmallProblem, 'targets'>) {
  const targets = Float64Array.of(...rows, 0.6, -0.6);
  return { targets, curvature: new Float64Array(targets.length).fill(1).fill(1 + 1e-9, rows.length) };
}

/** Tries every vector of signed codes. */
export function bruteForce(problem: SmallProblem): number {
  const { targets } = problem;
  const max = 2 ** (problem.weightBits - 1) - 1;
  const codes = new Int8Array(targets.length).fill(-max);
  let best = Infinity;
  for (;;) {
    if (keepsLimits(problem, codes)) best = Math.min(best, errorOf(problem, codes));
    let at = 0;
    while (at < codes.length && codes[at] === max) codes[at++] = -max;
    if (at === codes.length) return best;
    codes[at]++;
  }
}

/** Dynamic program over prod(k + 1) states of ones used: the least error for each, row by row, one polarity each. */
export function tableOptimum(problem: SmallProblem): number {
  const limits = planeLimits(problem);
  const planes = limits.length;
  const sides = [0, 1].flatMap(() => limits);
  const dimensions = [...sides, problem.valueLimit ?? problem.targets.length];
  const strides: number[] = [];
  let states = 1;
  for (const limit of dimensions) {
    strides.push(states);
    states *= limit + 1;
  }
  let table = new Float64Array(states).fill(Infinity);
  table[0] = 0;
  problem.targets.forEach((target, i) => {
    const weight = problem.curvature?.[i] ?? 1;
    const side = target >= 0 ? 0 : planes;
    const next = new Float64Array(states).fill(Infinity);
    for (let state = 0; state < states; state++) {
      if (table[state] === Infinity) continue;
      for (let code = 0; code < 2 ** planes; code++) {
        const uses = dimensions.map((_, at) => {
          if (at === 2 * planes) return code > 0 ? 1 : 0;
          return at >= side && at < side + planes ? (code >> (at - side)) & 1 : 0;
        });
        const used = (at: number) => Math.floor(state / strides[at]) % (dimensions[at] + 1);
        if (uses.some((use, at) => used(at) + use > dimensions[at])) continue;
        const to = uses.reduce((sum, use, at) => sum + use * strides[at], state);
        const cost = table[state] + weight * (Math.abs(target) - code) ** 2;
        if (cost < next[to]) next[to] = cost;
      }
    }
    table = next;
  });
  return Math.min(...table);
}

const size = (max: number) => fc.double({ min: -max, max, noNaN: true });

/** Random columns with curvature, budgets by plane or in one, value limit or none. */
export function problems(shape: {
  bits: [number, number];
  rows: [number, number];
}): fc.Arbitrary<SmallProblem> {
  return fc
    .record({
      weightBits: fc.integer({ min: shape.bits[0], max: shape.bits[1] }),
      rows: fc.integer({ min: shape.rows[0], max: shape.rows[1] }),
    })
    .chain(({ weightBits, rows }) => {
      const limit = fc.integer({ min: 0, max: Math.ceil(rows / 2) });
      const planes = weightBits - 1;
      return fc.record(
        {
          targets: fc
            .array(size(1.3 * 2 ** planes), { minLength: rows, maxLength: rows })
            .map((targets) => Float64Array.from(targets)),
          curvature: fc
            .array(fc.double({ min: 0.01, max: 10, noNaN: true }), { minLength: rows, maxLength: rows })
            .map((curvature) => Float64Array.from(curvature)),
          weightBits: fc.constant(weightBits),
          bitLimit: fc.oneof(limit, fc.array(limit, { minLength: planes, maxLength: planes })),
          valueLimit: fc.integer({ min: 0, max: rows }),
        },
        { requiredKeys: ['targets', 'weightBits', 'bitLimit'] },
      );
    });
}
