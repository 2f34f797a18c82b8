import type { PictureSet } from './dataset';

/** The pictures, then their mirror images (left and right changed). */
export function withMirrored(set: PictureSet): PictureSet {
  const { count, height, width, channels, pixels, labels } = set;
  const both = new Uint8Array(2 * pixels.length);
  both.set(pixels);
  for (let line = 0; line < count * height; line++)
    for (let x = 0; x < width; x++) {
      const from = (line * width + x) * channels;
      const to = pixels.length + (line * width + width - 1 - x) * channels;
      for (let c = 0; c < channels; c++) both[to + c] = pixels[from + c];
    }
  const twice = new Int32Array(2 * count);
  twice.set(labels);
  twice.set(labels, count);
  return { ...set, count: 2 * count, pixels: both, labels: twice };
}
