import { REFRESH_PULL, type Refreshing } from '../admm/refreshing';
import type { Pull, Relaxation } from '../admm/relaxation';
import { InputError } from '../errors';
import { type CommandOption, type Options, realNumber, textOption, wholeNumber } from './command';

/** Of `prune --method training`: what goes with --relax alone. */
export const withRelax: Readonly<Record<string, CommandOption>> = {
  interval: { value: 'N', help: 'training: relaxed, steps between two choices of bits (default 91)' },
};

export const relaxationOptions: Readonly<Record<string, CommandOption>> = {
  relax: {
    value: 'X',
    help: 'training: share of the epochs in which real weights are drawn to codes (default none; --pytorch: 0.7)',
  },
  pull: {
    value: 'A:B',
    help: 'training: share of the way to codes a step, first and last (default 0.0005:0.1; refreshed 0.001:0.001)',
  },
  'pruned-gradient': {
    value: 'X',
    help: 'training: with --mask-refreshes, share of its gradient that a weight without bits follows (default 1)',
  },
  ...withRelax,
};

/** The relaxation that the options ask for, of `share` unless they say another. @throws InputError naming the option that is out of range */
export function relaxationOf(options: Options, share: number): Relaxation {
  const firstBitLimit = wholeNumber(options, 'first-bit-limit', 1, 65_535);
  return {
    share: realNumber(options, 'relax', 0.01, 0.99) ?? share,
    interval: wholeNumber(options, 'interval', 1, 1e6) ?? 91,
    pull: pullOption(options) ?? [0.0005, 0.1],
    ...(firstBitLimit !== undefined && { firstBitLimit }),
  };
}

/** The bits chosen anew that the options ask for; undefined: none. @throws InputError naming the option that is out of range */
export function refreshingOf(options: Options): Refreshing | undefined {
  const refreshes = wholeNumber(options, 'mask-refreshes', 0, 10_000) ?? 0;
  if (refreshes === 0) return undefined;
  const prunedGradient = realNumber(options, 'pruned-gradient', 1e-6, 1);
  const pull = pullOption(options) ?? REFRESH_PULL;
  return { refreshes, pull, ...(prunedGradient !== undefined && { prunedGradient }) };
}

/** What `--pull` says. @throws InputError for anything but two shares */
function pullOption(options: Options): Pull | undefined {
  const text = textOption(options, 'pull');
  if (text === undefined) return undefined;
  const pair = text.split(':').map(Number);
  if (pair.length !== 2 || !pair.every((share) => share > 0 && share < 1))
    throw new InputError(`--pull ${text}: A:B is needed, both above 0 and below 1`);
  return [pair[0], pair[1]];
}
