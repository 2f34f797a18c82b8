import type { Recipe } from '../experiments/recipes';
import { rivalEntries } from '../experiments/rival-entries';

/** A few pictures and ADCs. */
export const QUICK_CROSSBAR = {
  adcBits: [2, 6],
  testPictures: 1000,
  clippedPictures: 200,
  stuckPictures: 50,
  variedPictures: 20,
  circuits: 2,
  readoutVectors: 32,
} as const;

/** One resolution, ours and one rival: still two epochs each. */
export const QUICK_RIVALS = {
  adcBits: [2],
  entries: rivalEntries.filter(({ name }) => name === 'hierarchical' || name === 'value-only'),
  clippedPictures: 40,
  iterations: 4,
} as const;

/** One crossbar, small pictures. */
export const QUICK_IMAGENET = {
  points: [{ tileRows: 64, adcBits: 4, part: 'all' }],
  size: 64,
  calibration: 64,
  testPictures: 100,
  iterations: 2,
  patches: 2048,
} as const;

/** An epoch of each training; few pictures and two iterations for each layer. */
export const quickRecipe = ({ line, ...recipe }: Recipe): Recipe => ({
  ...recipe,
  line: line
    .replace(/--epochs \d+/, '--epochs 1')
    .replace(/--iterations \d+/, '--iterations 2')
    .replace(/--calibration \d+/, '--calibration 512')
    .replace(/--patches \d+/, '--patches 24576'),
});

/** One budget, few resolutions, iterations and pictures. */
export const QUICK_BUDGETS = { testPictures: 1000, budgets: [3], tried: [2, 3, 4], iterations: 4 } as const;

/** One crossbar, two numbers of planes. */
export const QUICK_ENCODINGS = {
  configurations: [{ tileRows: 128, adcBits: 4 }],
  planes: [5, 7],
  seeds: 2,
  testPictures: 1000,
  iterations: 2,
} as const;

/** One crossbar and few pictures: shows that everything works. */
export const QUICK_METHODS = {
  configurations: [{ tileRows: 64, adcBits: 3 }],
  testPictures: 1000,
  clippedPictures: 40,
} as const;
