import type { RandomStream } from '../tensor/random';
import type { PictureBatch } from './batches';

/**
 * Mixes pictures and their target probabilities with those of the picture before them in the batch, the first with the
 * last (mixup: Zhang et al. 2018), in place: `portion` of the pictures, each by a share drawn evenly from 0 to a half,
 * so that its own part is the larger one. Picture elements are rounded to uint8.
 * @param targets [count, classes]
 * @param portion 0..1
 */
export function mixPictures(
  { pixels, count }: Pick<PictureBatch, 'pixels' | 'count'>,
  targets: Float32Array,
  portion: number,
  random: RandomStream,
): void {
  const before = { pixels: pixels.slice(), targets: targets.slice() };
  const size = pixels.length / count;
  const classes = targets.length / count;
  for (let i = 0; i < count; i++) {
    // Drawn for every picture, so that the others' shares do not depend on who is mixed.
    const chosen = random.uniform() < portion;
    const share = random.uniform() / 2;
    if (!chosen) continue;
    const other = (i + count - 1) % count;
    blend(pixels, before.pixels, i * size, other * size, size, share, 0.5);
    blend(targets, before.targets, i * classes, other * classes, classes, share, 0);
  }
}

/** into[at..] = from[at..] + share * (from[other..] - from[at..]) + rounding */
function blend(
  into: Uint8Array | Float32Array,
  from: Uint8Array | Float32Array,
  at: number,
  other: number,
  length: number,
  share: number,
  rounding: number,
): void {
  for (let i = 0; i < length; i++)
    into[at + i] = from[at + i] + share * (from[other + i] - from[at + i]) + rounding;
}
