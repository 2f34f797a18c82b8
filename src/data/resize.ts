/** Pictures as bytes: [height, width, channels]. */
export interface Raster {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Pillow keeps its filter weights as integers with this many fraction bits. */
const FRACTION_BITS = 22;

/** One side of a picture: so many pixels become so many others, of which only `count` from `start` on are wanted. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly count: number;
}

const whole = (from: number, to: number): Span => ({ from, to, start: 0, count: to });

/** Per output position: where its inputs begin, how many they are, and their fixed-point weights. */
interface Filter {
  readonly first: Int32Array;
  readonly taps: Int32Array;
  /** [outputs, most] */
  readonly weights: Int32Array;
  readonly most: number;
}

/**
 * Resizes with Pillow's bilinear filter (`Image.resize(..., BILINEAR)`), which torchvision uses: a triangle as wide as the
 * reduction, first along rows, then along columns, each rounded to a byte. Equal to Pillow up to 12 bit for bit;
 * Pillow 13 takes the columns first where that is less work, and then differs by one level here and there.
 */
export function resizeBilinear(image: Raster, height: number, width: number): Raster {
  const narrow = image.width === width ? image : resizeRows(image, whole(image.width, width));
  return narrow.height === height ? narrow : resizeColumns(narrow, whole(image.height, height));
}

/**
 * torchvision's `Resize(side)` and `CenterCrop(size)`: the shorter side becomes `side`, the other keeps the proportion,
 * rounded down, and the central square stays. Only that square is computed, so that no picture is too long.
 */
export function resizeToSquare(image: Raster, side: number, size: number): Raster {
  const { height, width } = image;
  const shorter = Math.min(height, width);
  const middle = (from: number) => {
    const to = Math.floor((side * from) / shorter);
    return { from, to, start: halfToEven(to - size), count: size };
  };
  return resizeColumns(resizeRows(image, middle(width)), middle(height));
}

/** torchvision's `CenterCrop(side)`; the picture must be at least that large. */
export function centerCrop(image: Raster, side: number): Raster {
  return cut(image, halfToEven(image.height - side), halfToEven(image.width - side), side, side);
}

/** A rectangle of a picture, which must hold it. */
export function cut(image: Raster, top: number, left: number, height: number, width: number): Raster {
  const { channels } = image;
  const pixels = new Uint8Array(height * width * channels);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * image.width + left) * channels;
    pixels.set(image.pixels.subarray(start, start + width * channels), row * width * channels);
  }
  return { pixels, height, width, channels };
}

/** Half of a whole number; Python's round() takes halves to the even neighbour. */
function halfToEven(twice: number): number {
  const floor = Math.floor(twice / 2);
  return twice % 2 === 0 ? floor : floor + (floor % 2);
}

/** Weights as Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc` compute them. */
function triangleFilter({ from, to, start, count }: Span): Filter {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const most = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(count);
  const taps = new Int32Array(count);
  const weights = new Int32Array(count * most);
  for (let i = 0; i < count; i++) {
    const centre = (start + i + 0.5) * scale;
    first[i] = Math.max(0, Math.trunc(centre - support + 0.5));
    taps[i] = Math.min(from, Math.trunc(centre + support + 0.5)) - first[i];
    const row = Array.from({ length: taps[i] }, (_, k) =>
      Math.max(0, 1 - Math.abs((k + first[i] - centre + 0.5) * (1 / support))),
    );
    const sum = row.reduce((a, b) => a + b, 0);
    for (let k = 0; k < taps[i]; k++) {
      weights[i * most + k] = Math.trunc(0.5 + (row[k] / sum) * 2 ** FRACTION_BITS);
    }
  }
  return { first, taps, weights, most };
}

function resizeRows(image: Raster, span: Span): Raster {
  const { pixels: source, height, channels } = image;
  const { first, taps, weights, most } = triangleFilter(span);
  const width = span.count;
  const pixels = new Uint8Array(height * width * channels);
  for (let row = 0; row < height; row++) {
    for (let x = 0; x < width; x++) {
      const from = (row * image.width + first[x]) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (FRACTION_BITS - 1);
        for (let k = 0; k < taps[x]; k++) sum += source[from + k * channels + c] * weights[x * most + k];
        pixels[(row * width + x) * channels + c] = sum >> FRACTION_BITS;
      }
    }
  }
  return { pixels, height, width, channels };
}

function resizeColumns(image: Raster, span: Span): Raster {
  const { pixels: source, width, channels } = image;
  const { first, taps, weights, most } = triangleFilter(span);
  const height = span.count;
  const stride = width * channels;
  const pixels = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < stride; i++) {
      let sum = 1 << (FRACTION_BITS - 1);
      for (let k = 0; k < taps[y]; k++) sum += source[(first[y] + k) * stride + i] * weights[y * most + k];
      pixels[y * stride + i] = sum >> FRACTION_BITS;
    }
  }
  return { pixels, height, width, channels };
}
