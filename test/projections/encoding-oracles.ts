import fc from 'fast-check';
import type { EncodingName } from '../../src/bitplanes/plane-encoding';

export interface EncodedProblem {
  readonly targets: Float64Array;
  readonly curvature?: Float64Array;
  readonly weightBits: number;
  readonly encoding: EncodingName;
  readonly cellBits: number;
  readonly flip: boolean;
  readonly bitLimit: number | readonly number[];
  readonly valueLimit?: number;
}

type Form = Pick<EncodedProblem, 'encoding' | 'cellBits' | 'weightBits'>;

/** Least and largest code. */
export function codeRange({ encoding, weightBits }: Form): [number, number] {
  const half = 2 ** (weightBits - 1);
  return [encoding === 'sign-split' || encoding === 'csd' ? 1 - half : -half, half - 1];
}

/** Digits of a code by polarity, lowest plane first. Written apart from the library's tables on purpose. */
export function digitsOf({ encoding, cellBits, weightBits }: Form, code: number): number[][] {
  const base = 2 ** cellBits;
  const half = 2 ** (weightBits - 1);
  const cells = (word: number, bits: number) =>
    Array.from({ length: Math.ceil(bits / cellBits) }, (_, i) => Math.floor(word / base ** i) % base);
  switch (encoding) {
    case 'sign-split':
      return [cells(Math.max(0, code), weightBits - 1), cells(Math.max(0, -code), weightBits - 1)];
    case 'offset':
      return [cells(code + half, weightBits)];
    case 'twos-complement': {
      const word = code < 0 ? code + 2 * half : code;
      if (cellBits === 1) return [cells(word, weightBits)];
      return [[...cells(word % half, weightBits - 1), word >= half ? 1 : 0]];
    }
    case 'csd': {
      // The textbook loop: an odd rest gives the digit 2 - rest mod 4.
      const plus = new Array<number>(weightBits).fill(0);
      const minus = new Array<number>(weightBits).fill(0);
      for (let rest = code, i = 0; rest !== 0; rest = Math.floor(rest / 2), i++) {
        if (rest % 2 === 0) continue;
        const digit = 2 - (((rest % 4) + 4) % 4);
        (digit > 0 ? plus : minus)[i] = 1;
        rest -= digit;
      }
      return [plus, minus];
    }
  }
}

export function encodedError({ targets, curvature }: EncodedProblem, codes: ArrayLike<number>): number {
  return targets.reduce((sum, target, i) => sum + (curvature?.[i] ?? 1) * (target - codes[i]) ** 2, 0);
}

/** Whether codes, stored plainly or complemented, keep every limit. */
export function keepsEncodedLimits(
  problem: EncodedProblem,
  codes: ArrayLike<number>,
  flipped: boolean,
): boolean {
  const [low, high] = codeRange(problem);
  const list = Array.from(codes);
  if (list.some((code) => code < low || code > high)) return false;
  if (list.filter((code) => code !== 0).length > (problem.valueLimit ?? Infinity)) return false;
  const sums = new Map<string, number>();
  for (const code of list) {
    digitsOf(problem, flipped ? -1 - code : code).forEach((digits, polarity) => {
      digits.forEach((digit, plane) => {
        const key = `${polarity}/${plane}`;
        sums.set(key, (sums.get(key) ?? 0) + digit);
      });
    });
  }
  const { bitLimit } = problem;
  return [...sums].every(
    ([key, sum]) => sum <= (typeof bitLimit === 'object' ? bitLimit[Number(key.split('/')[1])] : bitLimit),
  );
}

/** Tries every vector of codes, and both ways of storing them where flips are allowed. */
export function encodedBruteForce(problem: EncodedProblem): number {
  const [low, high] = codeRange(problem);
  const codes = new Int8Array(problem.targets.length).fill(low);
  let best = Infinity;
  for (;;) {
    const error = encodedError(problem, codes);
    if (
      error < best &&
      (problem.flip ? [false, true] : [false]).some((flipped) => keepsEncodedLimits(problem, codes, flipped))
    )
      best = error;
    let at = 0;
    while (at < codes.length && codes[at] === high) codes[at++] = low;
    if (at === codes.length) return best;
    codes[at]++;
  }
}

/** Dynamic program over all sums of digits that the limits allow: the least error, in the better orientation. */
export function encodedTableOptimum(problem: EncodedProblem): number {
  const [low, high] = codeRange(problem);
  const all = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const { bitLimit, targets, curvature } = problem;
  return Math.min(
    ...(problem.flip ? [false, true] : [false]).map((flipped) => {
      const uses = all.map((code) => [
        ...digitsOf(problem, flipped ? -1 - code : code).flat(),
        code === 0 ? 0 : 1,
      ]);
      const planes = digitsOf(problem, low)[0].length;
      const limits = uses[0].map((_, at) =>
        at === uses[0].length - 1
          ? (problem.valueLimit ?? Infinity)
          : typeof bitLimit === 'object'
            ? bitLimit[at % planes]
            : bitLimit,
      );
      let states = new Map<string, { used: number[]; cost: number }>();
      states.set('', { used: limits.map(() => 0), cost: 0 });
      targets.forEach((target, i) => {
        const next: typeof states = new Map();
        for (const { used, cost } of states.values()) {
          all.forEach((code, option) => {
            const sum = used.map((count, at) => count + uses[option][at]);
            if (sum.some((count, at) => count > limits[at])) return;
            const total = cost + (curvature?.[i] ?? 1) * (target - code) ** 2;
            const key = sum.join();
            if (total < (next.get(key)?.cost ?? Infinity)) next.set(key, { used: sum, cost: total });
          });
        }
        states = next;
      });
      return Math.min(...Array.from(states.values(), ({ cost }) => cost));
    }),
  );
}

/** An encoding and cell size; sign-split in 1-bit cells has tests of its own. */
export const forms: fc.Arbitrary<Pick<EncodedProblem, 'encoding' | 'cellBits' | 'flip'>> = fc.constantFrom(
  { encoding: 'twos-complement' as const, cellBits: 1, flip: false },
  { encoding: 'twos-complement' as const, cellBits: 2, flip: false },
  { encoding: 'offset' as const, cellBits: 1, flip: false },
  { encoding: 'offset' as const, cellBits: 1, flip: true },
  { encoding: 'offset' as const, cellBits: 3, flip: true },
  { encoding: 'csd' as const, cellBits: 1, flip: false },
  { encoding: 'sign-split' as const, cellBits: 2, flip: false },
  { encoding: 'sign-split' as const, cellBits: 4, flip: false },
);

/** Random columns in any encoding whose limits can be kept. */
export function encodedProblems(shape: {
  bits: [number, number];
  rows: [number, number];
}): fc.Arbitrary<EncodedProblem> {
  return fc
    .record({
      weightBits: fc.integer({ min: shape.bits[0], max: shape.bits[1] }),
      rows: fc.integer({ min: shape.rows[0], max: shape.rows[1] }),
      form: forms,
    })
    .chain(({ weightBits, rows, form }) => {
      const planes = digitsOf({ ...form, weightBits }, 0)[0].length;
      const limit = fc.integer({ min: 0, max: Math.ceil((rows * (2 ** form.cellBits - 1)) / 2) });
      const size = 1.3 * 2 ** (weightBits - 1);
      const column = (value: fc.Arbitrary<number>) =>
        fc.array(value, { minLength: rows, maxLength: rows }).map((list) => Float64Array.from(list));
      return fc.record(
        {
          targets: column(fc.double({ min: -size, max: size, noNaN: true })),
          curvature: column(fc.double({ min: 0.01, max: 10, noNaN: true })),
          weightBits: fc.constant(weightBits),
          encoding: fc.constant(form.encoding),
          cellBits: fc.constant(form.cellBits),
          flip: fc.constant(form.flip),
          bitLimit: fc.oneof(limit, fc.array(limit, { minLength: planes, maxLength: planes })),
          // In offset encoding zero has ones, so small value limits may contradict the bit limits.
          ...(form.encoding !== 'offset' && { valueLimit: fc.integer({ min: 0, max: rows }) }),
        },
        { requiredKeys: ['targets', 'weightBits', 'encoding', 'cellBits', 'flip', 'bitLimit'] },
      ) as fc.Arbitrary<EncodedProblem>;
    });
}
