import { InputError } from '../errors';
import type { BlockInputs } from './kernel-blocks';
import { checkInputs, type MappedLayer } from './layer-job';
import { inputPatches, type PatchKernel, type PatchPictures, patchGrid } from './patches';

/** Input codes of a layer: vectors [vectors, inputRows], or pictures whose patches they are. */
export interface LayerInputs {
  readonly codes: Uint8Array | Int8Array;
  readonly vectors: number;
  readonly source: BlockInputs;
}

/** Input vectors [vectors, inputRows], checked. */
export function vectorInputs(
  codes: Uint8Array | Int8Array,
  vectors: number,
  layer: MappedLayer,
): LayerInputs {
  checkInputs(codes, vectors, layer);
  return { codes, vectors, source: { kind: 'matrix' } };
}

/** The patches of a convolution of pictures [count, height, width, channels], checked. */
export function convolutionInputs(
  codes: Uint8Array | Int8Array,
  pictures: PatchPictures,
  convolution: PatchKernel,
  layer: MappedLayer,
): LayerInputs {
  const { count, height, width, channels } = pictures;
  const { kernel, stride = 1, padding = 0, paddingCode = 0 } = convolution;
  const { outHeight, outWidth } = patchGrid(pictures, convolution);
  if (kernel * kernel * channels !== layer.inputRows) {
    throw new InputError(
      `kernel: ${kernel} x ${kernel} x ${channels} channels are not the layer's ${layer.inputRows} inputs`,
    );
  }
  // The pixels, as so many vectors of one pixel each.
  checkInputs(codes, count * height * width, { ...layer, inputRows: channels });
  const before = typeof padding === 'number' ? padding : padding[0];
  const grid = { height, width, channels, kernel, stride, padding: before, paddingCode, outHeight, outWidth };
  return { codes, vectors: count * outHeight * outWidth, source: { kind: 'patches', ...grid } };
}

/** Some elements of each input vector [vectors, inputRows], in the given order: what drives the rows of a group. */
export function wiredInputs(
  matrix: Uint8Array | Int8Array,
  inputRows: number,
  elements: Int32Array,
  into: Uint8Array | Int8Array,
): Uint8Array | Int8Array {
  const vectors = matrix.length / inputRows;
  const rows = elements.length;
  if (rows === inputRows && elements.every((element, row) => element === row)) into.set(matrix);
  else
    for (let vector = 0; vector < vectors; vector++)
      for (let row = 0; row < rows; row++)
        into[vector * rows + row] = matrix[vector * inputRows + elements[row]];
  return into;
}

/** The input vectors themselves, [vectors, inputRows]. */
export function inputMatrix({ codes, vectors, source }: LayerInputs): Uint8Array | Int8Array {
  if (source.kind === 'matrix') return codes;
  const { height, width, channels, kernel, stride, padding, outHeight, outWidth } = source;
  const count = vectors / (outHeight * outWidth);
  // Padding after is whatever the output size implies.
  const after = Math.max(
    (outHeight - 1) * stride + kernel - height,
    (outWidth - 1) * stride + kernel - width,
  );
  const around = [padding, Math.max(0, after - padding)] as const;
  const convolution = { ...source, padding: around };
  return inputPatches<Uint8Array | Int8Array>(codes, { count, height, width, channels }, convolution).inputs;
}
