import type { RandomStream } from '../tensor/random';
import type { Unlabelled } from './dataset';
import { centerCrop, cut, type Raster, resizeBilinear } from './resize';

/**
 * Smallest share of a picture's area, and proportion of width to height, of a random view: as torchvision's networks saw
 * them in training, but for the smallest.
 */
const SMALLEST_AREA = 0.25;
const PROPORTION = [3 / 4, 4 / 3] as const;

/**
 * The central square of each picture, then `copies` random views of each: a rectangle brought to the square, half
 * of them mirrored. For calibration, where pictures are few: layers fitted to random views know more of the world.
 * @param side of the squares, at most the pictures' sides
 */
export function withRandomViews(
  set: Unlabelled,
  side: number,
  copies: number,
  random: RandomStream,
): Unlabelled {
  const { count, height, width, channels } = set;
  const size = side * side * channels;
  const pixels = new Uint8Array(count * (1 + copies) * size);
  const picture = (i: number): Raster => {
    const from = i * height * width * channels;
    return { height, width, channels, pixels: set.pixels.subarray(from, from + height * width * channels) };
  };
  for (let i = 0; i < count; i++) pixels.set(centerCrop(picture(i), side).pixels, i * size);
  for (let copy = 1; copy <= copies; copy++)
    for (let i = 0; i < count; i++) {
      const view = resizeBilinear(randomRectangle(picture(i), random, SMALLEST_AREA), side, side);
      pixels.set((random.integer(2) === 0 ? view : mirrored(view)).pixels, (copy * count + i) * size);
    }
  return { count: count * (1 + copies), height: side, width: side, channels, pixels };
}

/** A rectangle of at least the share `smallest` of the picture, anywhere in it, some wider and some higher. */
export function randomRectangle(image: Raster, random: RandomStream, smallest: number): Raster {
  const area = image.height * image.width * (smallest + random.uniform() * (1 - smallest));
  const proportion = PROPORTION[0] * (PROPORTION[1] / PROPORTION[0]) ** random.uniform();
  const within = (length: number, most: number) => Math.min(most, Math.max(1, Math.round(length)));
  const width = within(Math.sqrt(area * proportion), image.width);
  const height = within(Math.sqrt(area / proportion), image.height);
  const top = random.integer(image.height - height + 1);
  const left = random.integer(image.width - width + 1);
  return cut(image, top, left, height, width);
}

/** Left and right changed. */
export function mirrored({ pixels: source, height, width, channels }: Raster): Raster {
  const pixels = new Uint8Array(source.length);
  for (let row = 0; row < height; row++)
    for (let x = 0; x < width; x++) {
      const from = (row * width + x) * channels;
      pixels.set(source.subarray(from, from + channels), (row * width + width - 1 - x) * channels);
    }
  return { pixels, height, width, channels };
}
