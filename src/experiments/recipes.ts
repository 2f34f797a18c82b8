/** How a network is made from nothing: a command line of `train` or `prune` that makes one file. */
export interface Recipe {
  /** Name of the file; of a network in `data/models` the same. */
  readonly name: string;
  readonly data: 'cifar10' | 'generated';
  /** As one types it, but for where data, result and states lie; `{NAME}` stands for the file of that recipe. */
  readonly line: string;
  /** Time it takes on two cores, about. */
  readonly minutes: number;
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
    name: 'resnet20-cifar10-first',
    data: 'cifar10',
    line: 'train resnet20 --epochs 50 --stop-after 23 --rate 0.25 --warmup 0.15 --evaluate-every 5',
    minutes: 58,
    time: 'measured',
  },
  {
    name: 'resnet20-cifar10',
    data: 'cifar10',
    line: 'train resnet20 --start {resnet20-cifar10-first} --epochs 18 --rate 0.16 --warmup 0.02 --seed 2 --evaluate-every 6',
    minutes: 30,
    time: 'measured',
    tolerance: 0.6,
  },
  {
    name: 'resnet20-cifar10-r128-adc2-bits',
    data: 'cifar10',
    line: 'prune {resnet20-cifar10} --adc-bits 2 --rows 128',
    minutes: 1,
    time: 'measured',
  },
  {
    name: 'resnet20-cifar10-r128-adc2',
    data: 'cifar10',
    line: 'prune {resnet20-cifar10} --method training --start {resnet20-cifar10-r128-adc2-bits} --adc-bits 2 --rows 128 --epochs 2 --rate 0.02',
    minutes: 8,
    time: 'measured',
    tolerance: 1,
  },
  {
    name: 'vgg16-cifar10-first',
    data: 'cifar10',
    line: 'train vgg16 --epochs 16 --rate 0.1 --warmup 0.1875 --label-smoothing 0.1 --cutout 8 --resizing 16:8,24:5 --evaluate-every 16 --half',
    minutes: 140,
    time: 'measured',
  },
  {
    name: 'vgg16-cifar10',
    data: 'cifar10',
    line: 'train vgg16 --start {vgg16-cifar10-first} --epochs 10 --rate 0.08 --warmup 0.15 --label-smoothing 0.1 --cutout 8 --precision float32 --seed 2 --evaluate-every 5 --half',
    minutes: 90,
    time: 'measured',
    tolerance: 0.6,
  },
  {
    name: 'vgg16-cifar10-r128-adc2',
    data: 'cifar10',
    line: 'prune {vgg16-cifar10} --adc-bits 2 --rows 128 --balanced-rows --calibration 3072 --iterations 12',
    minutes: 15,
    time: 'measured',
    tolerance: 1,
  },
  {
    name: 'resnet18-cifar10',
    data: 'cifar10',
    line: 'train resnet18-cifar --epochs 16 --rate 0.2 --warmup 0.2 --label-smoothing 0.1 --cutout 8 --resizing 16:8,24:3 --precision float32 --evaluate-every 16',
    minutes: 150,
    time: 'estimated',
    tolerance: 0.6,
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
