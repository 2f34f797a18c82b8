import { InputError } from '../errors';
import type { Provenance } from '../reports/provenance';
import type { ImagenetResult, ImagenetRow } from './imagenet-study';
import { joinedOrigins } from './result-origin';

/** What holds for all rows of a result, and is known before any is measured. */
export type ImagenetConditions = Pick<
  ImagenetResult,
  'revision' | 'network' | 'model' | 'rule' | 'seed' | 'calibrationPictures' | 'pruning' | 'checksums'
>;

/** Under which name a result holds the checksum of its pictures. */
export const PICTURES = 'pictures (names, sizes)';

/**
 * An earlier result, as read from its file, whose rows may stand beside those of a study under these conditions.
 * @throws InputError where it is none, or was made under other conditions
 */
export function comparableResult(earlier: unknown, conditions: ImagenetConditions): ImagenetResult {
  if (!isResult(earlier)) throw new InputError('earlier: no results.json of experiment imagenet');
  requireSame(earlier, conditions, {
    revision: ({ revision }) => revision,
    network: ({ network }) => network,
    'checksum of the model': ({ checksums, model }) => checksums[`${model} (model)`],
    'checksum of the pictures': ({ checksums }) => checksums[PICTURES],
    'split of the pictures': ({ rule }) => rule,
    seed: ({ seed }) => seed,
    'number of calibration pictures': ({ calibrationPictures }) => calibrationPictures,
    pruning: ({ pruning }) => pruning,
  });
  return earlier;
}

/** @throws InputError where float and 8-bit network scored otherwise: on other pictures, or by another engine */
export function requireSameScores(
  earlier: ImagenetResult,
  own: Pick<ImagenetResult, 'float' | 'integer'>,
): void {
  requireSame(earlier, own, {
    'float accuracy': ({ float }) => float,
    '8-bit accuracy': ({ integer }) => integer,
  });
}

/** A result with the rows of an earlier one that it does not measure itself. */
export function withEarlierRows(result: ImagenetResult, earlier: ImagenetResult): ImagenetResult {
  const own = new Set(result.rows.map(nameOf));
  const kept = earlier.rows.filter((row) => !own.has(nameOf(row)));
  const untold: Provenance['results'] = { commits: [], engines: [], seconds: 0, untold: 1 };
  return {
    ...result,
    checksums: { ...earlier.checksums, ...result.checksums },
    rows: [...kept, ...result.rows],
    origins: kept.reduce((all, { origins = untold }) => joinedOrigins(all, origins), result.origins),
  };
}

/** Tells rows of one study apart. */
const nameOf = ({ tileRows, adcBits, title }: ImagenetRow) =>
  `${title} ${tileRows} ${JSON.stringify(adcBits)}`;

function isResult(value: unknown): value is ImagenetResult {
  const { rows, checksums, pruning } = (value ?? {}) as Partial<ImagenetResult>;
  const named = Array.isArray(rows) && rows.every((row) => typeof row?.title === 'string');
  return named && checksums instanceof Object && pruning instanceof Object;
}

function requireSame<T>(earlier: T, own: T, parts: Readonly<Record<string, (of: T) => unknown>>): void {
  for (const [name, part] of Object.entries(parts)) {
    const [had, needed] = [earlier, own].map((of) => JSON.stringify(part(of)));
    if (had !== needed)
      throw new InputError(`earlier: its ${name} is ${had}, but here ${needed}: measure all points anew`);
  }
}
