import type { Study } from './study';

/** A study of networks pruned without training. */
interface UntrainedStudy extends Study {
  readonly weightBits: number;
  readonly inputBits: number;
  readonly encoding: string;
}

/** Settings that every number of such a study depends on, for captions. */
export function untrainedConditions(study: UntrainedStudy): string {
  const { weightBits, inputBits, encoding, seed, calibrationPictures } = study;
  return `${weightBits}-bit weights and ${inputBits}-bit activations, ${encoding}, no training, ${calibrationPictures} unlabelled calibration pictures, seed ${seed}`;
}
