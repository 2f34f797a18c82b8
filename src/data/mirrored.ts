import type { Unlabelled } from './dataset';
import { joinPictures } from './join-pictures';

/** The pictures, then their mirror images (left and right changed). */
export function withMirrored(set: Unlabelled): Unlabelled {
  const { count, height, width, channels } = set;
  const pixels = new Uint8Array(set.pixels.length);
  for (let line = 0; line < count * height; line++)
    for (let x = 0; x < width; x++) {
      const from = (line * width + x) * channels;
      const to = (line * width + width - 1 - x) * channels;
      for (let c = 0; c < channels; c++) pixels[to + c] = set.pixels[from + c];
    }
  return joinPictures(set, { ...set, pixels });
}
