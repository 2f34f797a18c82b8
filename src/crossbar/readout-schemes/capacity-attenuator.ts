import type { RandomStream } from '../../tensor/random';

/**
 * What the weight planes count for after a hierarchical capacity attenuator that should give them `weights` (ascending).
 * The planes join a chain, lowest first: each stage attenuates all that joined before it, its ratio off by a relative
 * error of standard deviation `sigma`. So the lower a plane, the more stages it passes, and their errors multiply; what
 * it weighs falls as fast. (The chain is our reading of "hierarchical": the abstract gives no circuit.)
 */
export function attenuatedWeights(
  weights: readonly number[],
  sigma: number,
  random: RandomStream,
): Float64Array {
  const attenuated = Float64Array.from(weights);
  let drift = 1;
  for (let plane = weights.length - 2; plane >= 0; plane--) {
    drift *= 1 + sigma * random.normal();
    attenuated[plane] *= drift;
  }
  return attenuated;
}
