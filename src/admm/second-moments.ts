import { dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { symmetricMatrix, symmetricProduct } from './symmetric-product';

/** Input patches of a layer and what its outputs there should be, bias included; real-valued, row-major. */
export interface LayerSamples {
  /** [count, rows] */
  readonly inputs: Float32Array;
  /** [count, columns] */
  readonly targets: Float32Array;
  readonly count: number;
}

/** What post-training pruning needs to know of a layer's inputs in the compressed network and of its wanted outputs. */
export interface SecondMoments {
  readonly rows: number;
  readonly columns: number;
  readonly count: number;
  /** Covariance of the inputs, [rows, rows]: the Hessian of the squared output error, the bias being free. */
  readonly hessian: Float32Array;
  /** Covariance between inputs and targets, [rows, columns]. */
  readonly cross: Float32Array;
  /** Mean inputs, [rows]. */
  readonly mean: Float32Array;
  /** Mean and variance of the targets, [columns]. */
  readonly targetMean: Float32Array;
  readonly targetVariance: Float32Array;
}

/**
 * The moments of some of the rows, in the given order, and of one of `groups` equal runs of columns, as if the samples
 * held no others.
 */
export function momentsOf(moments: SecondMoments, chosen: Int32Array, groups = 1, group = 0): SecondMoments {
  const { rows: all, columns: width, count, hessian, cross, mean } = moments;
  if (groups === 1 && chosen.length === all && chosen.every((row, i) => row === i)) return moments;
  const rows = chosen.length;
  const columns = width / groups;
  const first = group * columns;
  const own = {
    hessian: new Float32Array(rows * rows),
    cross: new Float32Array(rows * columns),
  };
  chosen.forEach((row, i) => {
    for (let j = 0; j < rows; j++) own.hessian[i * rows + j] = hessian[row * all + chosen[j]];
    for (let n = 0; n < columns; n++) own.cross[i * columns + n] = cross[row * width + first + n];
  });
  return {
    rows,
    columns,
    count,
    ...own,
    mean: Float32Array.from(chosen, (row) => mean[row]),
    targetMean: moments.targetMean.slice(first, first + columns),
    targetVariance: moments.targetVariance.slice(first, first + columns),
  };
}

/** Sums up samples as they come. */
export interface MomentAccumulator {
  add(samples: LayerSamples): void;
  /** The moments of all samples so far; ends the accumulation. */
  finish(): SecondMoments;
  dispose(): void;
}

/** Samples multiplied at once: how the samples come in portions does not change the result. */
const CHUNK = 2048;

/**
 * Covariances in one pass, in memory that does not grow with the number of samples: each chunk about its own mean,
 * merged by Chan, Golub and LeVeque's formula (Updating formulae and a pairwise algorithm, 1979), so that nothing cancels.
 */
export function createMomentAccumulator(rows: number, columns: number): MomentAccumulator {
  const inputs = startSums(rows);
  const targets = startSums(columns);
  const variance = new Float64Array(columns);
  /** Sums of `products`. */
  let sums: readonly Tensor[] | undefined;
  let count = 0;
  let held = 0;

  function merge(): void {
    if (held === 0) return;
    const total = count + held;
    const weight = (count * held) / total;
    const [x, t] = [inputs, targets].map((sums) => ({
      values: centre(sums, held),
      shift: moveMean(sums, held / total),
    }));
    for (let from = 0; from < held * columns; from += columns)
      for (let n = 0; n < columns; n++) variance[n] += t.values[from + n] ** 2;
    for (let n = 0; n < columns; n++) variance[n] += weight * t.shift[n] ** 2;
    const grown = scope(() => {
      const row = (values: Float32Array) => upload(values, [1, values.length]);
      const left = upload(x.values, [held, rows]);
      const own = products(left, left, upload(t.values, [held, columns]));
      if (!sums) return own;
      const before = sums;
      const between = products(row(x.shift.map((value) => value * weight)), row(x.shift), row(t.shift));
      return own.map((product, i) => k.add(k.add(before[i], product), between[i]));
    });
    release();
    sums = grown.map(keep);
    count = total;
    held = 0;
  }

  function release(): void {
    if (sums) dispose(...sums);
    sums = undefined;
  }

  return {
    add(samples) {
      for (let from = 0; from < samples.count; ) {
        const taken = Math.min(samples.count - from, CHUNK - held);
        inputs.chunk.set(samples.inputs.subarray(from * rows, (from + taken) * rows), held * rows);
        targets.chunk.set(samples.targets.subarray(from * columns, (from + taken) * columns), held * columns);
        held += taken;
        from += taken;
        if (held === CHUNK) merge();
      }
    },
    finish() {
      merge();
      const means = (sums ?? []).map((sum) => k.floats(sum).map((value) => value / count));
      const moments = {
        rows,
        columns,
        count,
        hessian: symmetricMatrix(means.slice(0, -1), rows),
        cross: means.at(-1) ?? new Float32Array(rows * columns),
        mean: Float32Array.from(inputs.mean),
        targetMean: Float32Array.from(targets.mean),
        targetVariance: Float32Array.from(variance, (sum) => sum / Math.max(count, 1)),
      };
      release();
      return moments;
    },
    dispose: release,
  };
}

/** X' Y, which is symmetric, as block rows, and behind them X' T. */
function products(x: Tensor, y: Tensor, t: Tensor): Tensor[] {
  return [...symmetricProduct(x, y), k.matMul(x, t, true)];
}

/** A chunk of vectors that are not merged yet, and the mean of those that are. */
interface VectorSums {
  readonly size: number;
  readonly chunk: Float32Array;
  readonly mean: Float64Array;
  /** Of the chunk. */
  readonly own: Float64Array;
}

function startSums(size: number): VectorSums {
  return {
    size,
    chunk: new Float32Array(CHUNK * size),
    mean: new Float64Array(size),
    own: new Float64Array(size),
  };
}

/** Takes the chunk's mean off its first `count` vectors, and returns these. */
function centre({ size, chunk, own }: VectorSums, count: number): Float32Array {
  own.fill(0);
  for (let at = 0; at < count * size; at += size) for (let i = 0; i < size; i++) own[i] += chunk[at + i];
  for (let i = 0; i < size; i++) own[i] /= count;
  for (let at = 0; at < count * size; at += size) for (let i = 0; i < size; i++) chunk[at + i] -= own[i];
  return chunk.subarray(0, count * size);
}

/** Moves the mean by the chunk's `share`; returns how far the chunk's mean was from it. */
function moveMean({ size, mean, own }: VectorSums, share: number): Float32Array {
  const shift = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    shift[i] = own[i] - mean[i];
    mean[i] += share * (own[i] - mean[i]);
  }
  return shift;
}
