import type { Unlabelled } from './dataset';

/**
 * Mosaics of small pictures, `side` x `side` to each: as many independent scenes as a large picture has room for, at
 * their own sharpness. For calibration, which looks at patches.
 * @param order of the pictures; those left over by the last mosaic are not used
 */
export function mosaics(set: Unlabelled, side: number, order: ArrayLike<number>): Unlabelled {
  const { height, width, channels, pixels } = set;
  const line = width * channels;
  const count = Math.floor(order.length / side ** 2);
  const joined = new Uint8Array(count * side ** 2 * height * line);
  for (let i = 0; i < count * side ** 2; i++) {
    const place = i % side ** 2;
    const mosaic = Math.floor(i / side ** 2);
    for (let y = 0; y < height; y++) {
      const from = (order[i] * height + y) * line;
      const row = (mosaic * side + Math.floor(place / side)) * height + y;
      joined.set(pixels.subarray(from, from + line), (row * side + (place % side)) * line);
    }
  }
  return { count, height: height * side, width: width * side, channels, pixels: joined };
}
