import { checkWhole } from '../check-number';
import { InputError } from '../errors';

/** Pictures in NHWC order. */
export interface PatchPictures {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export interface PatchKernel {
  /** Kernel height and width. */
  readonly kernel: number;
  /** Default 1. */
  readonly stride?: number;
  /** Zeros added at each edge, or [before, after] where the two differ (`SAME` with stride 2). Default 0. */
  readonly padding?: number | readonly [before: number, after: number];
  /** The code that stands for zero in the padding. Default 0. */
  readonly paddingCode?: number;
}

export interface Patches<Codes> {
  /** [vectors, rows]: one row vector an output position, pictures outermost; rows in the order (ky, kx, c). */
  readonly inputs: Codes;
  readonly vectors: number;
  readonly rows: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** Output height and width of the convolution. Throws an InputError where the kernel does not fit. */
export function patchGrid(
  { height, width, channels }: Omit<PatchPictures, 'count'>,
  { kernel, stride = 1, padding = 0 }: PatchKernel,
): { outHeight: number; outWidth: number } {
  const [before, after] = typeof padding === 'number' ? [padding, padding] : padding;
  for (const [field, value] of Object.entries({ height, width, channels, kernel, stride }))
    checkWhole(field, value, 1);
  for (const rows of [before, after]) checkWhole('padding', rows, 0);
  const outHeight = Math.floor((height + before + after - kernel) / stride) + 1;
  const outWidth = Math.floor((width + before + after - kernel) / stride) + 1;
  if (outHeight < 1 || outWidth < 1) {
    throw new InputError(`kernel: ${kernel} is larger than the padded picture of ${height} x ${width}`);
  }
  return { outHeight, outWidth };
}

/**
 * Lays out the patches that a convolution sees as crossbar input vectors (im2col). `codes` is
 * [count, height, width, channels].
 */
export function inputPatches<Codes extends Uint8Array | Int8Array>(
  codes: Codes,
  pictures: PatchPictures,
  convolution: PatchKernel,
): Patches<Codes> {
  const { count, height, width, channels } = pictures;
  const { kernel, stride = 1, padding = 0, paddingCode = 0 } = convolution;
  const { outHeight, outWidth } = patchGrid(pictures, convolution);
  const before = typeof padding === 'number' ? padding : padding[0];
  if (codes.length !== count * height * width * channels) {
    throw new InputError(
      `pictures: ${codes.length} codes are not ${count} x ${height} x ${width} x ${channels}`,
    );
  }
  const rows = kernel * kernel * channels;
  const vectors = count * outHeight * outWidth;
  const inputs = new (codes.constructor as new (length: number) => Codes)(vectors * rows);
  if (paddingCode !== 0) inputs.fill(paddingCode);
  let vector = 0;
  for (let picture = 0; picture < count; picture++) {
    for (let outY = 0; outY < outHeight; outY++) {
      for (let outX = 0; outX < outWidth; outX++, vector++) {
        const left = outX * stride - before;
        const from = Math.max(0, -left);
        const to = Math.min(kernel, width - left);
        if (from >= to) continue;
        for (let ky = 0; ky < kernel; ky++) {
          const y = outY * stride - before + ky;
          if (y < 0 || y >= height) continue;
          const start = ((picture * height + y) * width + left + from) * channels;
          const target = vector * rows + (ky * kernel + from) * channels;
          inputs.set(codes.subarray(start, start + (to - from) * channels), target);
        }
      }
    }
  }
  return { inputs, vectors, rows, outHeight, outWidth };
}
