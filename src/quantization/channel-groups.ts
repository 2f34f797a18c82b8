import type { ConvNode, DenseNode } from '../networks/description';

/**
 * A grouped convolution on crossbars: an output channel has rows for the inputs of its own group only, so the layer's
 * matrix is [kernel * kernel * inChannels / groups, outChannels], and the columns of each group (outChannels / groups in a
 * row) stand on arrays of their own, driven by their own inputs.
 */
export function groupCount(node: ConvNode | DenseNode): number {
  return node.op === 'conv' ? node.groups : 1;
}

/** Where a group's rows lie in the patch of all channels, in the order (ky, kx, c). */
export function groupRows(node: ConvNode | DenseNode, group: number): Int32Array {
  if (node.op === 'dense') return Int32Array.from({ length: node.inFeatures }, (_, row) => row);
  const channels = node.inChannels / node.groups;
  return Int32Array.from(
    { length: node.kernel * node.kernel * channels },
    (_, row) => Math.floor(row / channels) * node.inChannels + group * channels + (row % channels),
  );
}

type Vector = Int8Array | Uint8Array | Float32Array;

/** The columns of one group of a row-major matrix [rows, columns] (or of a vector [columns]). */
export function groupColumns<Values extends Vector>(
  values: Values,
  columns: number,
  groups: number,
  group: number,
): Values {
  if (groups === 1) return values;
  const width = columns / groups;
  return chosenColumns(
    values,
    columns,
    Int32Array.from({ length: width }, (_, i) => group * width + i),
  );
}

/** Some columns, in the given order, of a row-major matrix [rows, columns] (or of a vector [columns]). */
export function chosenColumns<Values extends Vector>(
  values: Values,
  columns: number,
  chosen: Int32Array,
): Values {
  const lines = values.length / columns;
  const width = chosen.length;
  const part = new (values.constructor as new (length: number) => Values)(lines * width);
  for (let line = 0; line < lines; line++)
    for (let i = 0; i < width; i++) part[line * width + i] = values[line * columns + chosen[i]];
  return part;
}

/** Puts the columns of all groups side by side again. */
export function joinColumns<Values extends Vector>(parts: readonly Values[], rows: number): Values {
  if (parts.length === 1) return parts[0];
  const width = parts[0].length / rows;
  const columns = width * parts.length;
  const whole = new (parts[0].constructor as new (length: number) => Values)(rows * columns);
  parts.forEach((part, group) => {
    for (let row = 0; row < rows; row++)
      whole.set(part.subarray(row * width, (row + 1) * width), row * columns + group * width);
  });
  return whole;
}
