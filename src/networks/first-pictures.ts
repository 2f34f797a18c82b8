import type { Pictures } from './inference';

/** The first `count` of some pictures, on the same memory. */
export function firstPictures(pictures: Pictures, count: number): Pictures {
  const size = pictures.pixels.length / pictures.count;
  return { ...pictures, count, pixels: pictures.pixels.subarray(0, count * size) };
}
