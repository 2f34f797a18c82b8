import type { Dataset } from '../data/dataset';

/** Name of the trained network that comes with the package for a data set. */
export function defaultModel({ real }: Pick<Dataset, 'real'>): string {
  return real ? 'resnet20-cifar10' : 'tiny-generated';
}

/** `stem` as a name of the default network's figures; of another network it is told after it, so that both stay. */
export function figureStem(stem: string, model: string, dataset: Pick<Dataset, 'real'>): string {
  return model === defaultModel(dataset) ? stem : `${stem}-${model}`;
}
