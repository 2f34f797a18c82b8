import { countOnes } from '../bitplanes/count-ones';
import { planeEncoding } from '../bitplanes/plane-encoding';
import { requiredAdcBits } from '../bitplanes/required-adc-bits';
import { InputError } from '../errors';
import type { InputForm } from './input-slices';
import { inputSlices } from './input-slices';
import type { CrossbarSettings } from './layer-job';
import { readouts } from './readouts';

export interface LayerStatistics {
  readonly tiles: number;
  /** Converted columns: tiles * output channels * planes (* polarities, unless they are subtracted before conversion). */
  readonly bitColumns: number;
  /** Of those, the ones without a one in their cells: never converted. */
  readonly emptyBitColumns: number;
  /** Tiles of the rows without a single nonzero weight. */
  readonly emptyTiles: number;
  /** Conversions for all vectors, empty bit columns skipped. */
  readonly conversions: number;
  /** Conversions of the dense mapping, nothing skipped. */
  readonly denseConversions: number;
  /** Largest sum of cell digits in a bit column: its ones, with 1-bit cells. */
  readonly maxOnes: number;
  /** ADC bits that convert every sum without loss; 0 where all weights are zero. */
  readonly requiredAdcBits: number;
  /** Cells that hold charge, as a share of all cells of the mapping. */
  readonly cellDensity: number;
}

/** Settings that decide how many conversions a layer costs. */
export interface StatisticsInput extends Omit<CrossbarSettings, 'adc' | 'rowSplit'> {
  /** [rows, columns], row-major. */
  readonly codes: Int8Array;
  readonly rows: number;
  readonly columns: number;
  /** Input vectors: output positions times pictures. */
  readonly vectors: number;
  readonly inputForm?: InputForm;
  /** Offset encoding only: as in LayerInput. */
  readonly flips?: Uint8Array;
}

/** Counts what a layer asks of its ADCs, from the stored codes alone. Row tiles are `fixed`. */
export function layerStatistics(input: StatisticsInput): LayerStatistics {
  const { codes, rows, columns, vectors } = input;
  const { tileRows = 128, weightBits = 8, cellBits = 1, encoding: name = 'sign-split' } = input;
  if (!Number.isInteger(vectors) || vectors < 1) {
    throw new InputError(`vectors: ${vectors} is not a whole number of at least 1`);
  }
  const encoding = planeEncoding(name, weightBits, cellBits);
  const slices = inputSlices(input.inputBits ?? 8, input.dacBits ?? 1, input.inputForm);
  const reads = readouts(encoding, input.subtraction);
  const ones = countOnes({
    codes,
    rows,
    columns,
    tileRows,
    weightBits,
    cellBits,
    encoding: name,
    flips: input.flips,
  });
  const slots = ones.polarities * ones.planes;
  let filled = 0;
  let maxOnes = 0;
  let cells = 0;
  let emptyTiles = 0;
  for (let tile = 0; tile < ones.tiles; tile++) {
    const before = filled;
    for (let column = 0; column < columns; column++) {
      const base = (tile * columns + column) * slots;
      for (const { plus, minus } of reads) {
        const [added, taken] = [ones.counts[base + plus], minus < 0 ? 0 : ones.counts[base + minus]];
        // Pulses of either sign turn what is subtracted into what is added.
        const most = slices.form === 'sign-magnitude' ? added + taken : Math.max(added, taken);
        if (most > 0) filled++;
        if (most > maxOnes) maxOnes = most;
      }
    }
    if (filled === before) emptyTiles++;
  }
  for (let i = 0; i < codes.length; i++) {
    const tile = Math.floor(i / (columns * tileRows));
    const code = input.flips?.[tile * columns + (i % columns)] ? -1 - codes[i] : codes[i];
    for (let slot = 0; slot < slots; slot++) if (encoding.digits[(code + 128) * slots + slot] !== 0) cells++;
  }
  const bitColumns = ones.tiles * columns * reads.length;
  const signed = input.subtraction === 'analog' || slices.form === 'sign-magnitude';
  const bits = requiredAdcBits(maxOnes * slices.maxPulse);
  return {
    tiles: ones.tiles,
    bitColumns,
    emptyBitColumns: bitColumns - filled,
    emptyTiles,
    conversions: filled * slices.planes * vectors,
    denseConversions: bitColumns * slices.planes * vectors,
    maxOnes,
    requiredAdcBits: signed && bits > 0 ? bits + 1 : bits,
    cellDensity: cells / (rows * columns * slots),
  };
}
