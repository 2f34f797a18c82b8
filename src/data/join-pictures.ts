import type { Unlabelled } from './dataset';

/** One set behind the other; both of one shape. */
export function joinPictures(first: Unlabelled, second: Unlabelled): Unlabelled {
  const pixels = new Uint8Array(first.pixels.length + second.pixels.length);
  pixels.set(first.pixels);
  pixels.set(second.pixels, first.pixels.length);
  return { ...first, count: first.count + second.count, pixels };
}
