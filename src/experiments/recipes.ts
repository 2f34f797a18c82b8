import type { DatasetName } from '../data/open-dataset';

/** How a network is made: a command line of `train` or `prune` that makes one file. */
export interface Recipe {
  /** Name of the file; of a network in `data/models` the same. */
  readonly name: string;
  readonly data: DatasetName;
  /** As one types it, but for where data, result and states lie; `{NAME}` stands for the file of that recipe. */
  readonly line: string;
  /** Time it takes, about: on two cores, or by PyTorch on one H100. */
  readonly minutes: number;
  /** By PyTorch: `--pytorch PYTHON` goes with the line. */
  readonly engine?: 'pytorch';
  /** Where the time is from: a run of this recipe, or the speed of one step. */
  readonly time: 'measured' | 'estimated';
  /**
   * Points of top-1 that the network made anew may be below the one in `data/models`; absent: only a step on the way,
   * not verified. Chosen, not measured: trainings that differ in seed alone end some tenths apart.
   */
  readonly tolerance?: number;
}

/** In the order of making. */
export const recipes: readonly Recipe[] = [
  {
    name: 'tiny-generated',
    data: 'generated',
    line: 'train tiny --epochs 50 --batch-size 64 --rate 0.3 --weight-decay 0.0001 --evaluate-every 10',
    minutes: 3,
    time: 'measured',
    tolerance: 1,
  },
  {
    name: 'resnet20-cifar10',
    data: 'cifar10',
    engine: 'pytorch',
    line: 'train resnet20 --schedule cosine --epochs 280 --batch-size 512 --rate 0.4 --warmup 0.1 --average-decay 0.99',
    minutes: 8,
    time: 'measured',
    tolerance: 0.6,
  },
  {
    name: 'resnet20-cifar10-r128-adc3',
    data: 'cifar10',
    engine: 'pytorch',
    line: 'prune {resnet20-cifar10} --method training --adc-bits 3 --rows 128 --epochs 70 --rate 0.1 --interval 97',
    minutes: 3,
    time: 'measured',
    tolerance: 0.6,
  },
  {
    name: 'resnet20-cifar10-r128-adc2',
    data: 'cifar10',
    engine: 'pytorch',
    line: 'prune {resnet20-cifar10} --method training --start {resnet20-cifar10-r128-adc3} --adc-bits 2 --first-bit-limit 7 --rows 128 --epochs 100 --rate 0.15 --pull 0.0003:0.1',
    minutes: 3,
    time: 'measured',
    tolerance: 1,
  },
  {
    name: 'resnet20-cifar10-r128-adc1-relaxed',
    data: 'cifar10',
    line: 'prune {resnet20-cifar10} --method training --start {resnet20-cifar10-r128-adc2} --adc-bits 1 --rows 128 --relax 0.6 --first-bit-limit 3 --interval 390 --pull 0.0003:0.1 --epochs 40 --rate 0.05 --distillation 0.9 --average-decay 0.99',
    minutes: 60,
    time: 'measured',
  },
  {
    name: 'resnet20-cifar10-r128-adc1-refreshed',
    data: 'cifar10',
    line: 'prune {resnet20-cifar10} --method training --start {resnet20-cifar10-r128-adc1-relaxed} --adc-bits 1 --rows 128 --mask-refreshes 500 --pull 0.001:0.001 --epochs 20 --rate 0.03 --distillation 0.9 --average-decay 0.99',
    minutes: 17,
    time: 'measured',
  },
  {
    name: 'resnet20-cifar10-r128-adc1',
    data: 'cifar10',
    line: 'prune {resnet20-cifar10} --method training --start {resnet20-cifar10-r128-adc1-refreshed} --adc-bits 1 --rows 128 --mask-refreshes 400 --pull 0.002:0.002 --pruned-gradient 0.3 --epochs 12 --rate 0.05 --distillation 0.9 --average-decay 0.99',
    minutes: 11,
    time: 'measured',
    tolerance: 1,
  },
  {
    name: 'vgg16-cifar10',
    data: 'cifar10',
    engine: 'pytorch',
    line: 'train vgg16 --schedule cosine --epochs 120 --batch-size 512 --rate 0.3 --warmup 0.15 --label-smoothing 0.1 --cutout 12 --average-decay 0.99 --half',
    minutes: 4,
    time: 'measured',
    tolerance: 0.6,
  },
  {
    name: 'vgg16-cifar10-r128-adc3',
    data: 'cifar10',
    engine: 'pytorch',
    line: 'prune {vgg16-cifar10} --method training --adc-bits 3 --rows 128 --relax 0.6 --epochs 100 --rate 0.1 --interval 291 --pull 0.0003:0.1 --weight-decay 0.0005 --label-smoothing 0.1 --cutout 8 --mixing 0.5',
    minutes: 3,
    time: 'measured',
    tolerance: 0.6,
  },
  {
    name: 'vgg16-cifar10-r128-adc2',
    data: 'cifar10',
    engine: 'pytorch',
    line: 'prune {vgg16-cifar10} --method training --start {vgg16-cifar10-r128-adc3} --adc-bits 2 --first-bit-limit 7 --rows 128 --relax 0.7 --epochs 160 --rate 0.1 --interval 291 --pull 0.0003:0.1 --weight-decay 0.0005 --label-smoothing 0.1 --cutout 8 --mixing 0.5',
    minutes: 6,
    time: 'measured',
    tolerance: 0.6,
  },
  {
    name: 'vgg16-cifar10-r128-adc1-layers',
    data: 'cifar10',
    line: 'prune {vgg16-cifar10-r128-adc2} --adc-bits 1 --rows 128 --balanced-rows --calibration 2048 --iterations 8',
    minutes: 8,
    time: 'measured',
  },
  {
    name: 'vgg16-cifar10-r128-adc1-frozen-bits',
    data: 'cifar10',
    line: 'prune {vgg16-cifar10} --method training --start {vgg16-cifar10-r128-adc1-layers} --adc-bits 1 --rows 128 --epochs 9 --rate 0.1 --distillation 0.5 --average-decay 0.99',
    minutes: 130,
    time: 'measured',
  },
  {
    name: 'vgg16-cifar10-r128-adc1-refreshed',
    data: 'cifar10',
    line: 'prune {vgg16-cifar10} --method training --start {vgg16-cifar10-r128-adc1-frozen-bits} --adc-bits 1 --rows 128 --mask-refreshes 230 --pull 0.002:0.002 --pruned-gradient 0.2 --epochs 18 --rate 0.05 --distillation 0.9 --mixing 0.5 --cutout 8 --average-decay 0.99',
    minutes: 77,
    time: 'measured',
  },
  {
    name: 'vgg16-cifar10-r128-adc1',
    data: 'cifar10',
    line: 'prune {vgg16-cifar10} --method training --start {vgg16-cifar10-r128-adc1-refreshed} --adc-bits 1 --rows 128 --mask-refreshes 800 --pull 0.003:0.003 --pruned-gradient 0.3 --epochs 24 --rate 0.08 --distillation 0.9 --mixing 0.5 --cutout 8 --average-decay 0.99',
    minutes: 96,
    time: 'measured',
    tolerance: 1,
  },
  {
    name: 'resnet18-cifar10',
    data: 'cifar10',
    engine: 'pytorch',
    line: 'train resnet18-cifar --schedule cosine --epochs 50 --batch-size 512 --rate 0.4 --warmup 0.15 --label-smoothing 0.1 --cutout 8 --average-decay 0.99 --half',
    minutes: 2.5,
    time: 'measured',
    tolerance: 0.6,
  },
  {
    name: 'resnet18-cifar10-r128-adc3',
    data: 'cifar10',
    engine: 'pytorch',
    line: 'prune {resnet18-cifar10} --method training --adc-bits 3 --rows 128 --epochs 50 --rate 0.1 --interval 291 --weight-decay 0.0005 --label-smoothing 0.1 --cutout 8 --mixing 0.5',
    minutes: 5.5,
    time: 'measured',
    tolerance: 0.6,
  },
  {
    name: 'resnet18-cifar10-r128-adc2',
    data: 'cifar10',
    engine: 'pytorch',
    line: 'prune {resnet18-cifar10} --method training --start {resnet18-cifar10-r128-adc3} --adc-bits 2 --first-bit-limit 7 --rows 128 --epochs 70 --rate 0.1 --interval 291 --weight-decay 0.0005 --label-smoothing 0.1 --cutout 8 --mixing 0.5',
    minutes: 4.5,
    time: 'measured',
    tolerance: 0.6,
  },
  {
    name: 'resnet18-cifar10-r128-adc1-relaxed',
    data: 'cifar10',
    engine: 'pytorch',
    line: 'prune {resnet18-cifar10} --method training --start {resnet18-cifar10-r128-adc2} --adc-bits 1 --first-bit-limit 3 --rows 128 --relax 0.75 --epochs 150 --rate 0.1 --interval 291 --pull 0.0003:0.1 --weight-decay 0.0005 --label-smoothing 0.1 --cutout 8 --mixing 0.3',
    minutes: 7,
    time: 'measured',
  },
  {
    name: 'resnet18-cifar10-r128-adc1',
    data: 'cifar10',
    line: 'prune {resnet18-cifar10} --method training --start {resnet18-cifar10-r128-adc1-relaxed} --adc-bits 1 --rows 128 --mask-refreshes 200 --pull 0.001:0.001 --epochs 16 --rate 0.03 --distillation 0.9 --mixing 0.5 --cutout 8 --average-decay 0.99',
    minutes: 99,
    time: 'measured',
    tolerance: 1,
  },
];

/** Names of the recipes whose files a recipe takes. */
export function ingredients({ line }: Pick<Recipe, 'line'>): string[] {
  return [...line.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
}

/** A recipe by name with all that it is made from, in the order of making; all recipes for no name. */
export function recipesFor(name: string | undefined, all: readonly Recipe[] = recipes): readonly Recipe[] {
  if (name === undefined) return all;
  const wanted = new Set([name]);
  for (const recipe of [...all].reverse())
    if (wanted.has(recipe.name)) for (const ingredient of ingredients(recipe)) wanted.add(ingredient);
  return all.filter((recipe) => wanted.has(recipe.name));
}
