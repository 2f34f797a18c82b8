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
    checksums: { ...dataset.checksums, [`${model.name} (model)`]: model.sha256 },
  };
}
