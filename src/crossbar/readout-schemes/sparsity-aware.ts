import { checkWhole } from '../../check-number';
import { InputError } from '../../errors';
import { adcCodes } from '../adc';
import { addOffset } from '../finish-outputs';
import type { LayerJob, LayerResult } from '../layer-job';
import { type BitColumn, bitColumns } from './bit-columns';
import { type PulsePlanes, pulsePlanes } from './pulse-planes';

/**
 * The sparsity-aware macro with an analog switch array and low-resolution current-mode ADCs (Huang et al., ASP-DAC 2022;
 * known to us by its title). Our reading: switches connect only rows whose input pulse is not zero, so a conversion of
 * few codes sums as many *active* rows as it can hold, wherever they lie in the tile.
 */
export interface SparsityAwareSettings {
  /** Resolution of the ADC, 1..12 (2..12 where sums are signed); its step is one cell level. Default 3: assumed. */
  readonly adcBits?: number;
  /**
   * Active rows that one conversion sums, at least 1. Default `lossless`: assumed.
   * - `lossless`: as many as cannot pass the highest code whatever they store, 2^adcBits - 1 with 1-bit cells and pulses.
   * - `stored-codes`: as many as do not pass it in any column of the tile, given what is stored. As lossless, and what pruning
   *   and this macro give together; ours, not the paper's: the controller must know the codes.
   * - a number: more than lossless may clip.
   */
  readonly rowsPerConversion?: RowRule;
}

export type RowRule = number | 'lossless' | 'stored-codes';

export const sparsityAwareDefaults = { adcBits: 3, rowsPerConversion: 'lossless' } as const;

export interface SparsityAwareResult extends LayerResult<Float64Array> {
  /** Most active rows that a conversion summed. */
  readonly mostRows: number;
  /** Conversions that gave each code, from the lowest code up. [codes] */
  readonly codeHistogram: Float64Array;
  /** Mean of the active rows that a conversion summed. */
  readonly meanRows: number;
  /** Share of the rows' pulses that are not zero. */
  readonly activeShare: number;
  /** Conversions that would be needed if all rows of a tile, active or not, were summed at once. */
  readonly plainConversions: number;
  /** Conversions of as many rows each as are lossless (or asked for), active or not: the row-limited readout. */
  readonly rowLimitedConversions: number;
}

/**
 * Runs a layer through the sparsity-aware macro. Each tile's active rows are dealt, in row order, to conversions of at
 * most `rowsPerConversion`; word lines are shared, so all columns of the tile are grouped alike. A pulse plane without
 * active rows is not converted at all. The converter of the settings takes the place of the job's.
 */
export function sparsityAware(job: LayerJob, settings: SparsityAwareSettings = {}): SparsityAwareResult {
  const adcBits = checkWhole(
    'adcBits',
    settings.adcBits ?? sparsityAwareDefaults.adcBits,
    job.signedSums ? 2 : 1,
    12,
  );
  const { lowest, highest } = adcCodes({ bits: adcBits, signed: job.signedSums });
  const rule = settings.rowsPerConversion ?? sparsityAwareDefaults.rowsPerConversion;
  const limit = rowLimit(job, rule, highest);
  const { vectors, columns, tiles, slices } = job;
  const planes = pulsePlanes(job);
  const outputs = new Float64Array(vectors * columns);
  const codeHistogram = new Float64Array(highest - lowest + 1);
  const total = { conversions: 0, saturated: 0, rows: 0, active: 0, mostRows: 0, plain: 0, rowLimited: 0 };
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    const inTile = bitColumns(job, tile);
    const rows = { from: tiles[tile], to: tiles[tile + 1] };
    const groups =
      rule === 'stored-codes'
        ? groupByColumns(planes, inTile, rows, highest)
        : groupByCount(planes, rows, limit);
    const dealt = numbered(planes, groups, rows.from);
    total.active += dealt.active;
    if (inTile.length > 0) total.mostRows = Math.max(total.mostRows, dealt.mostRows);
    const sums = new Int32Array(dealt.conversions);
    for (const { column, readout, sign, rows, charges } of inTile) {
      total.conversions += dealt.conversions;
      total.rows += dealt.active;
      total.plain += planes.width;
      total.rowLimited += planes.width * Math.ceil((tiles[tile + 1] - tiles[tile]) / limit);
      sumConversions(rows, charges, planes, dealt, tiles[tile], sums);
      let clipped = 0;
      for (let plane = 0, at = 0; plane < slices.planes; plane++) {
        const weight = sign * readout.weight * slices.weights[plane];
        for (let vector = 0; vector < vectors; vector++, at++) {
          let codes = 0;
          for (let i = dealt.starts[at]; i < dealt.starts[at + 1]; i++) {
            let code = sums[i];
            if (code > highest || code < lowest) {
              clipped++;
              code = code > highest ? highest : lowest;
            }
            codeHistogram[code - lowest]++;
            codes += code;
          }
          outputs[vector * columns + column] += weight * codes;
        }
      }
      total.saturated += clipped;
    }
  }
  if (job.encoding.offset !== 0) addOffset(job, outputs, job.inputs);
  return {
    outputs,
    saturated: total.saturated,
    conversions: total.conversions,
    mostRows: total.mostRows,
    codeHistogram,
    meanRows: total.conversions === 0 ? 0 : total.rows / total.conversions,
    activeShare: total.active / (planes.width * job.rows),
    plainConversions: total.plain,
    rowLimitedConversions: total.rowLimited,
  };
}

/** The rule for how many active rows may meet in one conversion. */
function rowLimit({ slices, encoding }: LayerJob, asked: RowRule, highest: number): number {
  if (asked !== 'lossless' && asked !== 'stored-codes') {
    return checkWhole('rowsPerConversion', asked, 1);
  }
  const most = slices.maxPulse * (2 ** encoding.cellBits - 1);
  if (most > highest) {
    throw new InputError(
      `adcBits: one row can add ${most}, more than the highest code ${highest}, so no grouping is lossless; more bits are needed, or a number of rowsPerConversion`,
    );
  }
  return Math.floor(highest / most);
}

interface Rows {
  readonly from: number;
  readonly to: number;
}

/** The conversion of its (plane, vector) that sums each row's pulse, counted from 0: [rows of the tile][width]. */
type Groups = Int32Array;

function groupByCount({ width, pulses }: PulsePlanes, { from, to }: Rows, limit: number): Groups {
  const rank = new Int32Array(width);
  const groups = new Int32Array((to - from) * width);
  for (let row = from; row < to; row++) {
    for (let at = 0; at < width; at++) {
      if (pulses[row * width + at] !== 0) groups[(row - from) * width + at] = Math.floor(rank[at]++ / limit);
    }
  }
  return groups;
}

/** Each row joins the conversion of the one before it unless a column might then pass the highest code. */
function groupByColumns(
  { width, pulses }: PulsePlanes,
  inTile: readonly BitColumn[],
  { from, to }: Rows,
  highest: number,
): Groups {
  const cellsOf: { column: number; charge: number }[][] = Array.from({ length: to - from }, () => []);
  for (const [column, { rows, charges }] of inTile.entries()) {
    rows.forEach((row, i) => {
      cellsOf[row - from].push({ column, charge: Math.abs(charges[i]) });
    });
  }
  const groups = new Int32Array((to - from) * width);
  const sums = new Int32Array(inTile.length);
  for (let at = 0; at < width; at++) {
    let group = 0;
    sums.fill(0);
    for (let row = from; row < to; row++) {
      const pulse = Math.abs(pulses[row * width + at]);
      if (pulse === 0) continue;
      const cells = cellsOf[row - from];
      if (cells.some(({ column, charge }) => sums[column] + charge * pulse > highest)) {
        group++;
        sums.fill(0);
      }
      for (const { column, charge } of cells) sums[column] += charge * pulse;
      groups[(row - from) * width + at] = group;
    }
  }
  return groups;
}

interface DealtRows {
  /** First conversion of each (plane, vector), and the end. [width + 1] */
  readonly starts: Int32Array;
  /** The conversion that sums a row's pulse: [rows of the tile][width], meaningless where the pulse is zero. */
  readonly conversionOf: Int32Array;
  readonly conversions: number;
  /** Pulses that are not zero. */
  readonly active: number;
  /** Most of them in one conversion. */
  readonly mostRows: number;
}

/** Numbers the conversions of all (plane, vector) through; those without active rows have none. */
function numbered({ width, pulses }: PulsePlanes, groups: Groups, from: number): DealtRows {
  const starts = new Int32Array(width + 1);
  const shift = from * width;
  let active = 0;
  for (let base = 0; base < groups.length; base += width) {
    for (let at = 0; at < width; at++) {
      if (pulses[shift + base + at] === 0) continue;
      starts[at + 1] = Math.max(starts[at + 1], groups[base + at] + 1);
      active++;
    }
  }
  for (let at = 0; at < width; at++) starts[at + 1] += starts[at];
  const summed = new Int32Array(starts[width]);
  for (let base = 0; base < groups.length; base += width) {
    for (let at = 0; at < width; at++) {
      groups[base + at] += starts[at];
      if (pulses[shift + base + at] !== 0) summed[groups[base + at]]++;
    }
  }
  const mostRows = summed.reduce((most, count) => Math.max(most, count), 0);
  return { starts, conversionOf: groups, conversions: starts[width], active, mostRows };
}

function sumConversions(
  rows: Int32Array,
  charges: Int32Array,
  { width, pulses }: PulsePlanes,
  { conversionOf }: DealtRows,
  from: number,
  sums: Int32Array,
): void {
  sums.fill(0);
  for (let i = 0; i < rows.length; i++) {
    const source = rows[i] * width;
    const target = (rows[i] - from) * width;
    for (let at = 0; at < width; at++) {
      const pulse = pulses[source + at];
      if (pulse !== 0) sums[conversionOf[target + at]] += charges[i] * pulse;
    }
  }
}
