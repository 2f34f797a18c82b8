import { InputError } from '../../errors';
import { adcCodes } from '../adc';
import type { LayerJob, LayerResult } from '../layer-job';
import { addOffset } from '../reference-engine';
import { bitColumns } from './bit-columns';
import { checkSetting } from './check-setting';
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
   * Active rows that one conversion sums, at least 1. `lossless`: as many as cannot pass the highest code, 2^adcBits - 1
   * with 1-bit cells and pulses; more than those may clip. Default `lossless`: assumed.
   */
  readonly rowsPerConversion?: number | 'lossless';
}

export const sparsityAwareDefaults = { adcBits: 3, rowsPerConversion: 'lossless' } as const;

export interface SparsityAwareResult extends LayerResult<Float64Array> {
  /** Active rows a conversion sums at most. */
  readonly rowsPerConversion: number;
  /** Conversions that gave each code, from the lowest code up. [codes] */
  readonly codeHistogram: Float64Array;
  /** Mean of the active rows that a conversion summed. */
  readonly meanRows: number;
  /** Share of the rows' pulses that are not zero. */
  readonly activeShare: number;
  /** Conversions that would be needed if all rows of a tile, active or not, were summed at once. */
  readonly plainConversions: number;
  /** Conversions with as many rows each, but without knowing which are active: the row-limited readout. */
  readonly rowLimitedConversions: number;
}

/**
 * Runs a layer through the sparsity-aware macro. Each tile's active rows are dealt, in row order, to conversions of at
 * most `rowsPerConversion`; word lines are shared, so all columns of the tile are grouped alike. A pulse plane without
 * active rows is not converted at all. The converter of the settings takes the place of the job's.
 */
export function sparsityAware(job: LayerJob, settings: SparsityAwareSettings = {}): SparsityAwareResult {
  const adcBits = checkSetting('adcBits', settings.adcBits ?? sparsityAwareDefaults.adcBits, {
    least: job.signedSums ? 2 : 1,
    most: 12,
    whole: true,
  });
  const { lowest, highest } = adcCodes({ bits: adcBits, signed: job.signedSums });
  const limit = rowLimit(job, settings.rowsPerConversion ?? 'lossless', highest);
  const { vectors, columns, tiles, slices } = job;
  const planes = pulsePlanes(job);
  const outputs = new Float64Array(vectors * columns);
  const codeHistogram = new Float64Array(highest - lowest + 1);
  const total = { conversions: 0, saturated: 0, rows: 0, active: 0, plain: 0, rowLimited: 0 };
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    const dealt = dealRows(planes, tiles[tile], tiles[tile + 1], limit);
    total.active += dealt.active;
    const sums = new Int32Array(dealt.conversions);
    for (const { column, readout, sign, rows, charges } of bitColumns(job, tile)) {
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
  if (job.encoding.offset !== 0) addOffset(job, outputs);
  return {
    outputs,
    saturated: total.saturated,
    conversions: total.conversions,
    rowsPerConversion: limit,
    codeHistogram,
    meanRows: total.conversions === 0 ? 0 : total.rows / total.conversions,
    activeShare: total.active / (planes.width * job.rows),
    plainConversions: total.plain,
    rowLimitedConversions: total.rowLimited,
  };
}

/** The rule for how many active rows may meet in one conversion. */
function rowLimit({ slices, encoding }: LayerJob, asked: number | 'lossless', highest: number): number {
  if (asked !== 'lossless') {
    return checkSetting('rowsPerConversion', asked, { least: 1, most: Infinity, whole: true });
  }
  const most = slices.maxPulse * (2 ** encoding.cellBits - 1);
  if (most > highest) {
    throw new InputError(
      `adcBits: one row can add ${most}, more than the highest code ${highest}, so no grouping is lossless; more bits are needed, or a number of rowsPerConversion`,
    );
  }
  return Math.floor(highest / most);
}

interface DealtRows {
  /** First conversion of each (plane, vector), and the end. [width + 1] */
  readonly starts: Int32Array;
  /** The conversion that sums a row's pulse: [rows of the tile][width], meaningless where the pulse is zero. */
  readonly conversionOf: Int32Array;
  readonly conversions: number;
  /** Pulses that are not zero. */
  readonly active: number;
}

function dealRows({ width, pulses }: PulsePlanes, from: number, to: number, limit: number): DealtRows {
  const rank = new Int32Array(width);
  const conversionOf = new Int32Array((to - from) * width);
  let active = 0;
  for (let row = from; row < to; row++) {
    for (let at = 0; at < width; at++) {
      if (pulses[row * width + at] === 0) continue;
      conversionOf[(row - from) * width + at] = Math.floor(rank[at]++ / limit);
      active++;
    }
  }
  const starts = new Int32Array(width + 1);
  for (let at = 0; at < width; at++) starts[at + 1] = starts[at] + Math.ceil(rank[at] / limit);
  for (let base = 0; base < conversionOf.length; base += width) {
    for (let at = 0; at < width; at++) conversionOf[base + at] += starts[at];
  }
  return { starts, conversionOf, conversions: starts[width], active };
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
