import type { Compensation, PruningMethod } from '../admm/pruning-method';
import type { TrainingPruningSettings } from '../admm/training-pruning-settings';

/** Bits chosen after training. */
export interface PostTrainingStart {
  readonly method: PruningMethod;
  readonly compensation: Compensation;
}

/** How a line of the comparison chooses its bits before it is retrained. */
export type RivalStart = PostTrainingStart | 'network-admm' | 'bit-slice-l1';

/** A line: how bits are chosen, and what is done otherwise than in the other lines. */
export interface RivalEntry {
  readonly name: string;
  /** What people read. */
  readonly title: string;
  /** A rival method, our own, or our own with a part left out or exchanged. */
  readonly kind: 'ours' | 'rival' | 'ablation';
  readonly start: RivalStart;
  readonly change?: Partial<Pick<TrainingPruningSettings, 'distillation' | 'maskRefreshes' | 'pull'>>;
}

/** Of the lines that choose bits anew: about every tenth step of two epochs of CIFAR10. */
const REFRESHES = 60;

/** Every rival starts in its strongest form: with layer ADMM wherever its set of codes has one. */
export const rivalEntries: readonly RivalEntry[] = [
  {
    name: 'hierarchical',
    title: 'hierarchical, layer ADMM',
    kind: 'ours',
    start: { method: 'lagrangian', compensation: 'layer-admm' },
  },
  {
    name: 'value-only',
    title: 'value-only (TinyADC-like), layer ADMM',
    kind: 'rival',
    start: { method: 'value-only', compensation: 'layer-admm' },
  },
  {
    name: 'bit-only',
    title: 'bit-only, layer ADMM',
    kind: 'rival',
    start: { method: 'bit-only', compensation: 'layer-admm' },
  },
  {
    name: 'greedy',
    title: 'greedy bit truncation',
    kind: 'rival',
    start: { method: 'greedy', compensation: 'none' },
  },
  {
    name: 'bit-slice-l1',
    title: 'bit-slice L1, then greedy bit truncation',
    kind: 'rival',
    start: 'bit-slice-l1',
  },
  {
    name: 'projection',
    title: 'hierarchical, projection alone',
    kind: 'ablation',
    start: { method: 'lagrangian', compensation: 'none' },
  },
  { name: 'network-admm', title: 'hierarchical, network ADMM', kind: 'ablation', start: 'network-admm' },
  {
    name: 'no-distillation',
    title: 'hierarchical, layer ADMM, labels alone',
    kind: 'ablation',
    start: { method: 'lagrangian', compensation: 'layer-admm' },
    change: { distillation: 0 },
  },
  {
    name: 'refreshed',
    title: 'hierarchical, layer ADMM, bits chosen anew',
    kind: 'ablation',
    start: { method: 'lagrangian', compensation: 'layer-admm' },
    change: { maskRefreshes: REFRESHES },
  },
  {
    name: 'drawn',
    title: 'hierarchical, layer ADMM, bits chosen anew, weights drawn',
    kind: 'ablation',
    start: { method: 'lagrangian', compensation: 'layer-admm' },
    change: { maskRefreshes: REFRESHES, pull: [0.01, 0.01] },
  },
];

/** A line that leaves the weights alone and so has nothing to train. */
export interface UnprunedEntry {
  readonly name: 'row-limited' | 'clipped';
  readonly title: string;
  readonly kind: 'unpruned';
}

export const unprunedEntries: readonly UnprunedEntry[] = [
  { name: 'row-limited', title: 'row-limited dense, untrained, many conversions', kind: 'unpruned' },
  { name: 'clipped', title: 'clipped dense, calibrated range, untrained', kind: 'unpruned' },
];
