import { divergences } from '../networks/divergence';
import { largestClass } from '../networks/largest-class';
import { ranksOf } from '../training/evaluate';

/** A mean with the half width of its 95 % interval (normal approximation). */
export interface Estimate {
  readonly mean: number;
  readonly interval: number;
}

/** A network beside a reference on the same pictures: what few pictures resolve far better than two accuracies do. */
export interface LogitComparison {
  readonly pictures: number;
  /** Points of top-1 accuracy that the network is below the reference; the interval is that of the paired difference. */
  readonly drop: Estimate;
  /** Percent of the pictures for which both have the same largest logit. */
  readonly agreement: Estimate;
  /** Nats a picture, from the reference's class probabilities to the network's. */
  readonly divergence: Estimate;
}

/**
 * @param reference logits, [pictures, classes]
 * @param logits the network's, [pictures, classes]
 * @param labels [pictures]
 */
export function compareLogits(
  reference: Float32Array,
  logits: Float32Array,
  labels: Int32Array,
): LogitComparison {
  const classes = logits.length / labels.length;
  const right = (of: Float32Array) => ranksOf(of, labels, classes).map((rank) => (rank === 0 ? 1 : 0));
  const [before, after] = [right(reference), right(logits)];
  const chosen = (of: Float32Array) => Array.from(labels, (_, i) => largestClass(of, i * classes, classes));
  const [first, second] = [chosen(reference), chosen(logits)];
  return {
    pictures: labels.length,
    drop: estimate(before.map((one, i) => 100 * (one - after[i]))),
    agreement: estimate(first.map((one, i) => (one === second[i] ? 100 : 0))),
    divergence: estimate([...divergences(reference, logits, classes)]),
  };
}

/** Mean of independent values. */
function estimate(values: readonly number[]): Estimate {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, interval: 1.96 * Math.sqrt(variance / values.length) };
}
