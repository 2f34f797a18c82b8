import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';

/** Row-major [count, rows] samples of a layer's input patches, real-valued. */
export interface PatchSamples {
  readonly values: Float32Array;
  readonly count: number;
  readonly rows: number;
}

/** What post-training pruning needs to know of a layer's inputs, before (reference) and after compressing the layers above. */
export interface SecondMoments {
  readonly rows: number;
  readonly count: number;
  /** Covariance of the compressed network's patches, [rows, rows]: the Hessian of the squared output error, the bias being free. */
  readonly hessian: Float32Array;
  /** Covariance between compressed and reference patches, [rows compressed, rows reference]. */
  readonly cross: Float32Array;
  /** Mean patches, [rows]. */
  readonly mean: Float32Array;
  readonly referenceMean: Float32Array;
}

/** Moments of patches taken at the same pictures and positions in both networks. */
export function secondMoments(compressed: PatchSamples, reference: PatchSamples): SecondMoments {
  const { count, rows } = compressed;
  const own = centred(compressed);
  const other = centred(reference);
  const covariance = (a: Float32Array, b: Float32Array) =>
    scope(() =>
      k.floats(
        k.multiply(k.matMul(upload(a, [count, rows]), upload(b, [count, rows]), true), k.scalar(1 / count)),
      ),
    );
  return {
    rows,
    count,
    hessian: covariance(own.values, own.values),
    cross: covariance(own.values, other.values),
    mean: own.mean,
    referenceMean: other.mean,
  };
}

function centred({ values, count, rows }: PatchSamples): { values: Float32Array; mean: Float32Array } {
  const sums = new Float64Array(rows);
  for (let i = 0; i < values.length; i++) sums[i % rows] += values[i];
  const mean = Float32Array.from(sums, (sum) => sum / count);
  return { values: values.map((value, i) => value - mean[i % rows]), mean };
}

/** The moments of some of the rows, as if the patches held no others. */
export function momentsOfRows(moments: SecondMoments, chosen: Int32Array): SecondMoments {
  const { rows: all, count, hessian, cross, mean, referenceMean } = moments;
  const rows = chosen.length;
  const square = (matrix: Float32Array) =>
    Float32Array.from(
      { length: rows * rows },
      (_, at) => matrix[chosen[Math.floor(at / rows)] * all + chosen[at % rows]],
    );
  const vector = (values: Float32Array) => Float32Array.from(chosen, (row) => values[row]);
  return {
    rows,
    count,
    hessian: square(hessian),
    cross: square(cross),
    mean: vector(mean),
    referenceMean: vector(referenceMean),
  };
}
