import { countOnes } from '../bitplanes/count-ones';
import { evenTileRows } from '../bitplanes/even-tile-rows';
import type { PerPlane } from '../bitplanes/per-plane';
import type { EncodingName } from '../bitplanes/plane-encoding';
import { requiredAdcBits } from '../bitplanes/required-adc-bits';
import { checkWhole } from '../check-number';
import { inputSlices } from '../crossbar/input-slices';
import { InputError } from '../errors';
import { type InputActivity, type Skipping, tilePulse } from './input-activity';

/** A layer as the hardware sees it. */
export interface HardwareLayer {
  readonly name: string;
  /** [rows, columns], row-major. */
  readonly codes: Int8Array;
  readonly rows: number;
  /** Output channels. */
  readonly columns: number;
  /** Of a convolution: the columns of each group stand on arrays of their own. Default 1. */
  readonly groups?: number;
  /** Input vectors an inference: output positions. */
  readonly vectors: number;
  /** R: rows of an array; those of the layer lie on its arrays evenly. Default 128. */
  readonly tileRows?: number;
  /** Default 8. */
  readonly weightBits?: number;
  /** Of unsigned codes; default 8. */
  readonly inputBits?: number;
  /** Bits an input DAC drives at once: an input takes ceil(inputBits / dacBits) pulses. Default 1. */
  readonly dacBits?: number;
  /** Default `sign-split`. */
  readonly encoding?: EncodingName;
  /** Bits of a cell; default 1. */
  readonly cellBits?: number;
  /** Offset encoding only: 1 where a (row tile, output channel) is stored complemented, [tiles][columns]. */
  readonly flips?: Uint8Array;
  /**
   * Resolution of the layer's ADCs: of all conversions, or of those of each plane (lowest first; 0: it has none), for
   * which the same ADCs stop earlier.
   */
  readonly adcBits: PerPlane;
  /** How many rows its inputs drive; needed to skip zero input bits and rows. */
  readonly activity?: InputActivity;
}

/** What the columns of one bit plane ask for. */
export interface PlaneMapping {
  readonly conversions: number;
  readonly losslessBits: number;
}

/** What a layer occupies and does in one inference. One copy of the layer. */
export interface LayerMapping {
  readonly name: string;
  /** Crossbars. */
  readonly arrays: number;
  /** Bit columns converted. */
  readonly columnsConverted: number;
  /** Conversions an inference: each converted column, each row group of its tile, each pulse; a mean where pulses are skipped. */
  readonly conversions: number;
  /** Rows driven an inference, counted in every array they run through; a mean where rows are skipped. */
  readonly rowDrives: number;
  /** Input bits that the row drives apply. */
  readonly drivenBits: number;
  /** Bits of an input DAC. */
  readonly dacBits: number;
  /** Reads of the busiest tile that follow one another: pulses times row groups. */
  readonly reads: number;
  /** Columns of the array that has most: they share its ADCs. */
  readonly busiestColumns: number;
  /** R of its arrays. */
  readonly arrayRows: number;
  /** Rows of an array that are driven at once, at most: R, or rowsPerConversion. */
  readonly rowsTogether: number;
  /** Row groups driven one after another: 1, or ceil(tile rows / rowsPerConversion). */
  readonly rowGroups: number;
  /** Input vectors an inference. */
  readonly vectors: number;
  /** Pulses an inference: vectors * ceil(inputBits / dacBits). */
  readonly pulses: number;
  /** Share of the arrays' cells that stand in a converted column and a row of the layer, 0..1. */
  readonly utilisation: number;
  /** Multiply-accumulates an inference, those by zero weights included. */
  readonly macs: number;
  /** Bits of all inputs, each row of each vector counted: rows * groups * inputBits * vectors. */
  readonly inputBits: number;
  /** Outputs an inference: columns * vectors. */
  readonly outputs: number;
  /** ADC bits that convert every column without loss; 0 without any nonzero weight. */
  readonly losslessBits: number;
  /** The same by plane, lowest first. */
  readonly planes: readonly PlaneMapping[];
}

/** `all`: every bit column is built and converted. `filled`: those that hold a one; empty ones and empty tiles take nothing. */
export type ColumnPolicy = 'all' | 'filled';

/**
 * Maps a layer to arrays of R x `arrayColumns`, its rows lying evenly on as few row tiles as there can be: every row tile gets as many as its bit columns fill.
 * `rowsPerConversion` (k) drives only k rows at a time: the baseline that needs no pruning. `skip` leaves out zero input
 * bits or rows, as often as the layer's `activity` has them; tiles are then read independently of one another.
 */
export function layerMapping(
  layer: HardwareLayer,
  {
    columnPolicy = 'filled',
    arrayColumns = 128,
    rowsPerConversion,
    skip,
  }: {
    readonly columnPolicy?: ColumnPolicy;
    readonly arrayColumns?: number;
    readonly rowsPerConversion?: number;
    readonly skip?: Skipping;
  } = {},
): LayerMapping {
  const {
    codes,
    rows,
    columns,
    vectors,
    tileRows: arrayRows = 128,
    weightBits = 8,
    inputBits = 8,
    dacBits = 1,
    groups: channelGroups = 1,
  } = layer;
  const counts = { vectors, groups: channelGroups, arrayColumns, rowsPerConversion: rowsPerConversion ?? 1 };
  for (const [field, value] of Object.entries(counts)) checkWhole(`layer ${layer.name}: ${field}`, value, 1);
  const tileRows = evenTileRows(rows, arrayRows);
  const { encoding, cellBits, flips, activity } = layer;
  const skips = skip?.inputBits || skip?.rows;
  if (skips && (activity?.tileRows !== tileRows || activity.dacBits !== dacBits)) {
    const of = activity
      ? `of ${activity.tileRows} rows a tile and ${activity.dacBits}-bit DACs, not ${tileRows} and ${dacBits}`
      : 'missing';
    throw new InputError(`layer ${layer.name}: activity: ${of}; skipping needs that of its inputs`);
  }
  const slices = inputSlices(inputBits, dacBits);
  const ones = countOnes({ codes, rows, columns, tileRows, weightBits, encoding, cellBits, flips });
  const perTile = columns * ones.polarities * ones.planes;
  let arrays = 0;
  let columnsConverted = 0;
  const conversionsPerPulse = new Float64Array(ones.planes);
  let rowDrivesPerPulse = 0;
  let readsPerPulse = 0;
  let cells = 0;
  let busiestColumns = 0;
  let rowGroups = 1;
  const most = new Uint32Array(ones.planes);
  if (columns % channelGroups !== 0) {
    throw new InputError(`layer ${layer.name}: groups: ${channelGroups} do not divide ${columns} columns`);
  }
  const perGroup = perTile / channelGroups;
  for (let tile = 0; tile < ones.tiles; tile++) {
    const rowsHere = Math.min(tileRows, rows - tile * tileRows);
    const together = rowsPerConversion ?? tileRows;
    const pulse = tilePulse(rowsHere, together, skip, activity?.driven[tile]);
    rowGroups = Math.max(rowGroups, Math.ceil(rowsHere / together));
    for (let channelGroup = 0; channelGroup < channelGroups; channelGroup++) {
      const first = tile * perTile + channelGroup * perGroup;
      const built = new Uint32Array(ones.planes);
      for (let at = first; at < first + perGroup; at++) {
        const plane = at % ones.planes;
        most[plane] = Math.max(most[plane], ones.counts[at]);
        if (columnPolicy === 'all' || ones.counts[at] > 0) built[plane]++;
      }
      built.forEach((count, plane) => {
        conversionsPerPulse[plane] += count * pulse.groups;
      });
      const used = built.reduce((sum, count) => sum + count, 0);
      const arraysHere = Math.ceil(used / arrayColumns);
      arrays += arraysHere;
      columnsConverted += used;
      rowDrivesPerPulse += arraysHere * pulse.rowsDriven;
      cells += used * rowsHere;
      if (used > 0) readsPerPulse = Math.max(readsPerPulse, pulse.groups);
      busiestColumns = Math.max(busiestColumns, Math.min(used, arrayColumns));
    }
  }
  const pulses = vectors * slices.planes;
  const planes = Array.from(most, (count, plane) => ({
    conversions: conversionsPerPulse[plane] * pulses,
    losslessBits: requiredAdcBits(count * slices.maxPulse),
  }));
  return {
    name: layer.name,
    arrays,
    columnsConverted,
    conversions: planes.reduce((sum, { conversions }) => sum + conversions, 0),
    rowDrives: rowDrivesPerPulse * pulses,
    drivenBits: rowDrivesPerPulse * vectors * inputBits,
    dacBits,
    reads: readsPerPulse * pulses,
    busiestColumns,
    arrayRows,
    rowsTogether: Math.min(arrayRows, rowsPerConversion ?? arrayRows),
    rowGroups,
    vectors,
    pulses,
    utilisation: arrays === 0 ? 0 : cells / (arrays * arrayColumns * arrayRows),
    macs: rows * columns * vectors,
    inputBits: rows * channelGroups * inputBits * vectors,
    outputs: columns * vectors,
    losslessBits: Math.max(...planes.map(({ losslessBits }) => losslessBits)),
    planes,
  };
}
