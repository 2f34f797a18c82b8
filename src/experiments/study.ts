import type { Dataset } from '../data/dataset';
import type { FloatModel } from './open-model';

/** What every study of a trained network on a data set tells of itself. */
export interface Study {
  /** Name of the float model's file. */
  readonly model: string;
  readonly network: string;
  readonly dataset: string;
  readonly realData: boolean;
  readonly seed: number;
  readonly calibrationPictures: number;
  readonly checksums: Readonly<Record<string, string>>;
}

/** SHA-256 of models' files, by the name that provenance gives them. */
export function modelChecksums(
  models: readonly Pick<FloatModel, 'name' | 'sha256'>[],
): Record<string, string> {
  return Object.fromEntries(models.map(({ name, sha256 }) => [`${name} (model)`, sha256]));
}

export function describeStudy(
  model: FloatModel,
  dataset: Dataset,
  { seed, calibration }: { readonly seed: number; readonly calibration: number },
): Study {
  return {
    model: model.name,
    network: model.description.name,
    dataset: dataset.title,
    realData: dataset.real,
    seed,
    calibrationPictures: calibration,
    checksums: { ...dataset.checksums, ...modelChecksums([model]) },
  };
}
