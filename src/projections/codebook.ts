import { type PlaneEncoding, planeEncoding } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import { Codebook } from './core/codebook';
import { type LimitOptions, planeBudgets, valueBudget } from './limits';

const kept = new Map<string, Codebook>();

/** An encoding's name, bits and way of storing words: tells its codebook from others. */
export function codebookKey(options: LimitOptions, flipped: boolean): string {
  const { encoding = 'sign-split', weightBits, cellBits = 1 } = options;
  return `${encoding}/${weightBits}/${cellBits}/${flipped}`;
}

/** The codebook of an encoding. `flipped`: every word stored complemented, so code c has the digits of -1 - c. */
export function codebookOf(options: LimitOptions, flipped = false): Codebook {
  const key = codebookKey(options, flipped);
  const { encoding = 'sign-split', weightBits, cellBits = 1 } = options;
  const book = kept.get(key) ?? madeFrom(planeEncoding(encoding, weightBits, cellBits), flipped);
  kept.set(key, book);
  return book;
}

function madeFrom(
  { minCode, maxCode, polarities, planes, digits, weights }: PlaneEncoding,
  flipped: boolean,
): Codebook {
  const book = new Codebook(minCode, maxCode - minCode + 1, planes, polarities);
  const { resources, count, uses } = book;
  const slots = resources - 1;
  for (let option = 0; option < count; option++) {
    const code = minCode + option;
    const from = ((flipped ? -1 - code : code) + 128) * slots;
    uses.set(digits.subarray(from, from + slots), option * resources);
    uses[option * resources + slots] = code === 0 ? 0 : 1;
  }
  book.worth.set(weights.map(Math.abs));
  book.complete();
  return book;
}

/** How much of every resource of a codebook a column has, checked; Infinity where there is no limit. [resources] */
export function codebookBudgets(options: LimitOptions, { resources, planes }: Codebook): Float64Array {
  if (options.flip && options.encoding !== 'offset')
    throw new InputError(`flip: it is for offset encoding only, not ${options.encoding ?? 'sign-split'}`);
  const perPlane = planeBudgets(options, planes);
  const budgets = Float64Array.from({ length: resources }, (_, at) => perPlane[at % planes]);
  budgets[resources - 1] = valueBudget(options);
  return budgets;
}
