import type { NetworkDescription } from '../networks/description';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { permuteRows, restoreRows } from '../quantization/row-order';
import { pixelDivisor, rowCount } from '../quantization/weight-matrix';
import { parameterLayout } from '../training/parameter-vector';

/**
 * A crossbar layer within the weight vector of a training: elements offset..offset+rows*columns-1 are its weights,
 * [rows, columns] row-major with rows in the order (ky, kx, c), batch norm not folded. Folding multiplies each column by
 * one number, so limits on bit columns hold before it as after it, but for polarities that swap where it is negative.
 */
export interface TrainedLayer {
  readonly name: string;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  /**
   * What makes crossbar weights of trained ones, [rows, columns] in the order of the vector: 1 / (255 std) where the layer
   * reads the picture as pixels; absent: 1.
   */
  readonly factors?: Float32Array;
  /** Which row stands at each place of the crossbars, [rows]; absent: row i at place i. */
  readonly rowOrder?: Int32Array;
}

/** The crossbar layers of a network with batch norm, in network order. */
export function trainedLayers(description: NetworkDescription, std: readonly number[]): TrainedLayer[] {
  const slots = new Map(parameterLayout(description).slots.map((slot) => [slot.name, slot]));
  return crossbarNodes(description).map((node) => {
    const { offset, size } = slots.get(`${node.name}.weight`)!;
    const rows = rowCount(node);
    const columns = size / rows;
    const divisor = pixelDivisor(node, columns, std);
    return {
      name: node.name,
      offset,
      rows,
      columns,
      ...(node.input === 'input' && {
        factors: Float32Array.from({ length: size }, (_, i) => 1 / divisor(i)),
      }),
    };
  });
}

/** A layer's crossbar weights [rows, columns] from the weight vector, rows as they stand on the crossbars. */
export function layerWeights(layer: TrainedLayer, weights: Float32Array): Float32Array {
  const { offset, rows, columns, factors } = layer;
  const result = weights.slice(offset, offset + rows * columns);
  if (factors) for (let at = 0; at < result.length; at++) result[at] *= factors[at];
  return permuteRows(result, columns, layer.rowOrder);
}

/** Writes codes * scales into the layer's place of a weight vector; codes' rows as they stand on the crossbars. */
export function writeCodes(
  layer: TrainedLayer,
  { codes: placed, scales }: { readonly codes: Int8Array; readonly scales: Float32Array },
  weights: Float32Array,
): void {
  const { offset, columns, factors } = layer;
  const codes = restoreRows(placed, columns, layer.rowOrder);
  for (let at = 0; at < codes.length; at++) {
    const inverse = factors ? 1 / factors[at] : 1;
    weights[offset + at] = codes[at] * scales[at % columns] * inverse;
  }
}

/** Of two matrices whose columns differ by one factor each, a = factor * b: the factors; 0 for a column of zeros. */
export function columnFactors(a: Float32Array, b: ArrayLike<number>, columns: number): Float64Array {
  const cross = new Float64Array(columns);
  const power = new Float64Array(columns);
  a.forEach((value, i) => {
    cross[i % columns] += value * b[i];
    power[i % columns] += b[i] * b[i];
  });
  return cross.map((sum, n) => (power[n] > 0 ? sum / power[n] : 0));
}
