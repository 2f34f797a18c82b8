import { InputError } from '../errors';
import type { ImagenetResult, ImagenetRow } from './imagenet-study';
import { joinedOrigins } from './result-origin';

/** What an earlier result must share with this one for its rows to stand beside it. */
type Conditions = Omit<ImagenetResult, 'rows' | 'origins'>;

/**
 * A result with the rows that an earlier one measured under the same conditions and that it does not measure itself.
 * @throws InputError where the earlier result was made under other conditions, or is none
 */
export function withEarlierRows(result: ImagenetResult, earlier: ImagenetResult): ImagenetResult {
  requireSame(result, earlier);
  const own = new Set(result.rows.map(nameOf));
  const kept = earlier.rows.filter((row) => !own.has(nameOf(row)));
  return {
    ...result,
    checksums: { ...earlier.checksums, ...result.checksums },
    rows: [...kept, ...result.rows],
    origins: joinedOrigins(result.origins, earlier.origins),
  };
}

/** Tells rows of one study apart. */
const nameOf = ({ tileRows, adcBits, title }: ImagenetRow) =>
  `${title} ${tileRows} ${JSON.stringify(adcBits)}`;

function requireSame(result: Conditions, earlier: ImagenetResult): void {
  if (!Array.isArray(earlier?.rows))
    throw new InputError('--earlier: it is no result of experiment imagenet');
  const shared = (own: Conditions) => ({
    network: own.network,
    'checksum of the model': own.checksums?.[`${result.model} (model)`],
    'checksum of the pictures': own.checksums?.[PICTURES],
    'split of the pictures': own.rule,
    seed: own.seed,
    pruning: own.pruning,
    'float accuracy': own.float,
    '8-bit accuracy': own.integer,
  });
  const mine = Object.entries(shared(result));
  const others = Object.values(shared(earlier)).map((value) => JSON.stringify(value));
  mine.forEach(([name, value], at) => {
    const needed = JSON.stringify(value);
    if (others[at] !== needed)
      throw new InputError(
        `--earlier: its ${name} is ${others[at]}, but here ${needed}: measure all points anew`,
      );
  });
}

/** Under which name a result holds the checksum of its pictures. */
export const PICTURES = 'pictures (names, sizes)';
