import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { Pictures } from '../networks/inference';
import type { BudgetSettings } from './layer-budget';
import { type Compensation, compensations, type PruningMethod, pruningMethods } from './pruning-method';

export interface PostTrainingSettings extends BudgetSettings {
  /** R: rows summed in one conversion. */
  readonly tileRows: number;
  /** Default `lagrangian`: hierarchical. */
  readonly method?: PruningMethod;
  /** Default `layer-admm`. */
  readonly compensation?: Compensation;
  /**
   * Whether rows are dealt to tiles so that each tile gets its share of the large weights, where that lowers the error of
   * the projection; default false. Bits chosen beforehand (`bit-only`, `magnitude`) keep the natural order.
   */
  readonly balancedRows?: boolean;
  /** States that method `exact` may hold at once for a column: its time and how often it ends with a proof. */
  readonly searchLimit?: number;
  /** ADMM iterations a layer at most. */
  readonly iterations?: number;
  /** Input patches a layer from which its Hessian is measured. */
  readonly patches?: number;
  readonly seed?: number;
  /**
   * Added to each Hessian's diagonal, relative to its mean; default 0.01. `shrinkage`: as much as the number of pictures
   * asks for, at least 0.01 (for few pictures of many patches; see `shrinkageRidge`).
   */
  readonly ridge?: number | 'shrinkage';
  /**
   * Whether the layer that ends a residual branch aims at the float network's sum, and so makes good what the other
   * branch lacks; default true. Layer ADMM only.
   */
  readonly residualCompensation?: boolean;
  /** Whether layers before a ReLU are fitted to what shows behind it; default true. Layer ADMM only, not where grouped. */
  readonly rectification?: boolean;
  /**
   * How far the scales move from least squares (0) to the float network's output variances (1), as re-estimating a
   * folded batch norm would set them; default 0.5. Means are kept in any case. Layer ADMM only.
   */
  readonly varianceMatching?: number;
  /** Calibration pictures computed at once; changes memory and speed, not the result. */
  readonly batchSize?: number;
  /**
   * Bytes that activations of the calibration pictures may take between two layers, in both networks together; default
   * 1.5 GiB. Where they are wider, a layer sees the first pictures only.
   */
  readonly activationBytes?: number;
}

/** What works well for CIFAR networks: more of each lowers the error a little and costs time in proportion. */
export const postTrainingDefaults = {
  iterations: 25,
  patches: 24576,
  varianceMatching: 0.5,
  searchLimit: 100,
  activationBytes: 1.5 * 2 ** 30,
} as const;

/** Input patches a layer for networks of large pictures. */
export const LARGE_PATCHES = 98304;

/** Calibration pictures by default, if there are so many. */
export const defaultCalibration = ({ count }: Pick<Pictures, 'count'>): number => Math.min(count, 1024);

/** Sides of CIFAR's pictures; networks for larger ones have layers of thousands of rows. */
const SMALL = 32;

/**
 * Patches and ridge by default (absent: 0.01). Behind large pictures stand wide layers: the few patches that do for CIFAR
 * leave their Hessians thin (ResNet-18 on ImageNet, 3 bits at R = 128, loses 8.0 points with 24,576 patches and 5.6 with
 * four times as many), and the ridge must make up for pictures that are missing.
 */
export function samplingDefaults({
  height,
  width,
}: Pick<Pictures, 'height' | 'width'>): Pick<PostTrainingSettings, 'patches' | 'ridge'> {
  return Math.max(height, width) > SMALL
    ? { patches: LARGE_PATCHES, ridge: 'shrinkage' }
    : { patches: postTrainingDefaults.patches };
}

const RANGES = {
  tileRows: [1, 65535],
  searchLimit: [1, 1e9],
  valueLimit: [1, 65535],
  iterations: [1, 1e6],
  patches: [1, 1e9],
  batchSize: [1, 1e9],
  activationBytes: [1, 2 ** 50],
} as const;

/** @throws InputError naming the first setting that is out of range, and for fewer than 16 calibration pictures */
export function checkSettings(settings: PostTrainingSettings, calibration: Pictures): void {
  const { method = 'lagrangian', compensation = 'layer-admm' } = settings;
  const { pixels, count, height, width, channels } = calibration;
  for (const [field, value, allowed] of [
    ['method', method, pruningMethods],
    ['compensation', compensation, compensations],
  ] as const)
    if (!(allowed as readonly string[]).includes(value))
      throw new InputError(`${field} "${value}" is unknown; one of ${allowed.join(', ')} is needed`);
  for (const [field, [least, most]] of Object.entries(RANGES)) {
    const value = settings[field as keyof typeof RANGES];
    if (value !== undefined) checkWhole(field, value, least, most);
  }
  for (const field of ['ridge', 'varianceMatching'] as const) {
    const value = settings[field];
    if (value !== undefined && value !== 'shrinkage' && !(value >= 0 && value <= 1))
      throw new InputError(`${field} ${value} is not a number from 0 to 1`);
  }
  if (count < 16) throw new InputError(`${count} calibration pictures are too few; at least 16 are needed`);
  if (pixels.length !== count * height * width * channels)
    throw new InputError(
      `calibration pictures: ${pixels.length} bytes are not ${count} pictures of ${height} x ${width} x ${channels}`,
    );
}
