import type { Dataset } from '../data/dataset';

/** Name of the trained network that comes with the package for a data set. */
export function defaultModel({ real }: Pick<Dataset, 'real'>): string {
  return real ? 'resnet20-cifar10' : 'tiny-generated';
}

/** A file's name with the network told after the experiment, beside that of the default one: `02-methods-mine-pareto`. */
export function nameOfOther(name: string, model: string): string {
  return name.replace(/^\d+-[^-]+/, (experiment) => `${experiment}-${model}`);
}
