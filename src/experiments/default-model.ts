import type { Dataset } from '../data/dataset';

/** Name of the trained network that comes with the package for a data set. */
export function defaultModel({ real }: Pick<Dataset, 'real'>): string {
  return real ? 'resnet20-cifar10' : 'tiny-generated';
}
