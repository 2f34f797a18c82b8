import { InputError } from '../errors';

/** A layer of the pipeline. */
export interface PipelineStage {
  /** How long one copy takes for an inference. */
  readonly latencyNs: number;
  /** Its input vectors. */
  readonly vectors: number;
  /** Arrays of one copy. */
  readonly arrays: number;
}

/** How long a layer takes for an inference: its copies take its vectors in turn, whole ones. */
export function stageNs({ latencyNs, vectors }: PipelineStage, copies: number): number {
  return latencyNs * (Math.ceil(vectors / copies) / vectors);
}

/**
 * Copies of each layer that make the slowest stage of the pipeline as fast as `arrayBudget` arrays allow: the slowest
 * layer gets more copies, as many as make it faster, as long as there is room, which is the best there is. Never more
 * copies than vectors.
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
    stages.forEach((stage, i) => {
      if (stageNs(stage, copies[i]) > stageNs(stages[slowest], copies[slowest])) slowest = i;
    });
    const { latencyNs, vectors, arrays } = stages[slowest] ?? { latencyNs: 0, vectors: 1, arrays: 0 };
    const turns = Math.ceil(vectors / copies[slowest]);
    if (latencyNs === 0 || turns <= 1) return copies;
    const more = Math.ceil(vectors / (turns - 1)) - copies[slowest];
    if (more * arrays > left) return copies;
    copies[slowest] += more;
    left -= more * arrays;
  }
}
