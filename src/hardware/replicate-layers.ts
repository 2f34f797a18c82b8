import { InputError } from '../errors';

/** A layer of the pipeline: how long one copy takes for an inference, and the arrays of that copy. */
export interface PipelineStage {
  readonly latencyNs: number;
  readonly arrays: number;
}

/**
 * Copies of each layer that make the slowest stage of the pipeline as fast as `arrayBudget` arrays allow: the slowest
 * layer gets one more copy as long as there is room, which is the best there is. Copies share a layer's input vectors.
 * @throws InputError where one copy of each does not fit
 */
export function replicateLayers(stages: readonly PipelineStage[], arrayBudget: number): number[] {
  const copies = stages.map(() => 1);
  let left = arrayBudget - stages.reduce((sum, { arrays }) => sum + arrays, 0);
  if (!(left >= 0))
    throw new InputError(
      `arrays: ${arrayBudget} are not enough; one copy of each layer takes ${arrayBudget - left}`,
    );
  for (;;) {
    let slowest = 0;
    stages.forEach(({ latencyNs }, i) => {
      if (latencyNs / copies[i] > stages[slowest].latencyNs / copies[slowest]) slowest = i;
    });
    const { latencyNs, arrays } = stages[slowest] ?? { latencyNs: 0, arrays: 0 };
    if (latencyNs === 0 || arrays === 0 || arrays > left) return copies;
    copies[slowest]++;
    left -= arrays;
  }
}
