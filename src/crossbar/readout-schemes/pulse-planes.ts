import type { LayerJob } from '../layer-job';
import { requireUnwired } from '../require-unwired';
import type { BitColumn } from './bit-columns';

/** The pulses of all inputs, laid out so that one row's pulses for every (plane, vector) lie side by side. */
export interface PulsePlanes {
  /** Planes times vectors: `plane * vectors + vector` says which. */
  readonly width: number;
  /** [rows][planes][vectors] */
  readonly pulses: Int16Array;
}

/** @throws InputError for rows in another order than the inputs */
export function pulsePlanes(job: LayerJob): PulsePlanes {
  requireUnwired(job);
  const { inputs, rows, vectors, slices } = job;
  const { planes } = slices;
  const width = planes * vectors;
  const pulses = new Int16Array(rows * width);
  for (let vector = 0; vector < vectors; vector++) {
    for (let row = 0; row < rows; row++) {
      const base = (inputs[vector * rows + row] & 255) * planes;
      for (let plane = 0; plane < planes; plane++) {
        pulses[row * width + plane * vectors + vector] = slices.pulses[base + plane];
      }
    }
  }
  return { width, pulses };
}

/** Writes a bit column's exact sum for every (plane, vector) to `sums`. */
export function columnSums(
  { rows, charges }: BitColumn,
  { width, pulses }: PulsePlanes,
  sums: Int32Array,
): void {
  sums.fill(0);
  for (let i = 0; i < rows.length; i++) {
    const charge = charges[i];
    const base = rows[i] * width;
    for (let at = 0; at < width; at++) sums[at] += charge * pulses[base + at];
  }
}

/** Rows from..to-1 whose pulse is not zero, for every (plane, vector): what a sparsity sensor counts. */
export function activeRows({ width, pulses }: PulsePlanes, from: number, to: number): Int32Array {
  const active = new Int32Array(width);
  for (let row = from; row < to; row++) {
    for (let at = 0; at < width; at++) if (pulses[row * width + at] !== 0) active[at]++;
  }
  return active;
}
