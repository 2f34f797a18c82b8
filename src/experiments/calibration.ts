import { checkWhole } from '../check-number';
import type { PictureSet } from '../data/dataset';
import type { Pictures } from '../networks/inference';
import { randomStream } from '../tensor/random';

/** `count` training pictures drawn at random without labels, in the order drawn. */
export function calibrationPictures(set: PictureSet, count: number, seed: number): Pictures {
  checkWhole('calibration pictures', count, 16, set.count);
  const { height, width, channels } = set;
  const size = height * width * channels;
  const order = randomStream(seed, 'calibration pictures').permutation(set.count);
  const pixels = new Uint8Array(count * size);
  for (let i = 0; i < count; i++)
    pixels.set(set.pixels.subarray(order[i] * size, (order[i] + 1) * size), i * size);
  return { pixels, count, height, width, channels };
}
