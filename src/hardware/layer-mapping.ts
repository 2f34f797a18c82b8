import { countOnes } from '../bitplanes/count-ones';
import type { EncodingName } from '../bitplanes/plane-encoding';
import { requiredAdcBits } from '../bitplanes/required-adc-bits';
import { InputError } from '../errors';

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
  /** Rows summed in one conversion (R). Default 128. */
  readonly tileRows?: number;
  /** Default 8. */
  readonly weightBits?: number;
  /** Default 8: with 1-bit DACs, the pulses of an input. */
  readonly inputBits?: number;
  /** Default `sign-split`. */
  readonly encoding?: EncodingName;
  /** Bits of a cell; default 1. */
  readonly cellBits?: number;
  /** Offset encoding only: 1 where a (row tile, output channel) is stored complemented, [tiles][columns]. */
  readonly flips?: Uint8Array;
  /** Resolution of the layer's ADCs. */
  readonly adcBits: number;
}

/** What a layer occupies and does, per input pulse. One copy of the layer; 1-bit DACs. */
export interface LayerMapping {
  readonly name: string;
  /** Crossbars, each with one ADC. */
  readonly arrays: number;
  /** Bit columns converted. */
  readonly columnsConverted: number;
  /** Conversions an input pulse: columnsConverted, times the row groups of their tile. */
  readonly conversionsPerPulse: number;
  /** Rows driven an input pulse, counted in every array they run through. */
  readonly rowDrivesPerPulse: number;
  /** Columns of the array that has most: they share one ADC. */
  readonly busiestColumns: number;
  /** Row groups driven one after another: 1, or ceil(tile rows / rowsPerConversion). */
  readonly rowGroups: number;
  /** Pulses an inference: vectors * inputBits. */
  readonly pulses: number;
  /** Bits of all inputs, each row of each vector counted: rows * groups * inputBits * vectors. */
  readonly inputBits: number;
  /** Outputs an inference: columns * vectors. */
  readonly outputs: number;
  /** ADC bits that convert every column without loss; 0 without any nonzero weight. */
  readonly losslessBits: number;
}

/** `all`: every bit column is built and converted. `filled`: those that hold a one; empty ones and empty tiles take nothing. */
export type ColumnPolicy = 'all' | 'filled';

/**
 * Maps a layer to arrays of tileRows x `arrayColumns`: every row tile gets as many as its bit columns fill.
 * `rowsPerConversion` (k) drives only k rows at a time: the baseline that needs no pruning.
 */
export function layerMapping(
  layer: HardwareLayer,
  {
    columnPolicy = 'filled',
    arrayColumns = 128,
    rowsPerConversion,
  }: {
    readonly columnPolicy?: ColumnPolicy;
    readonly arrayColumns?: number;
    readonly rowsPerConversion?: number;
  } = {},
): LayerMapping {
  const { codes, rows, columns, vectors, tileRows = 128, weightBits = 8, inputBits = 8 } = layer;
  for (const [field, value] of [
    ['vectors', vectors],
    ['inputBits', inputBits],
    ['groups', layer.groups ?? 1],
    ['arrayColumns', arrayColumns],
    ['rowsPerConversion', rowsPerConversion ?? 1],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InputError(`layer ${layer.name}: ${field}: ${value} is not a whole number of at least 1`);
    }
  }
  const { encoding, cellBits, flips } = layer;
  const ones = countOnes({ codes, rows, columns, tileRows, weightBits, encoding, cellBits, flips });
  const perTile = columns * ones.polarities * ones.planes;
  let arrays = 0;
  let columnsConverted = 0;
  let conversionsPerPulse = 0;
  let rowDrivesPerPulse = 0;
  let busiestColumns = 0;
  let rowGroups = 1;
  let most = 0;
  const channelGroups = layer.groups ?? 1;
  if (columns % channelGroups !== 0) {
    throw new InputError(`layer ${layer.name}: groups: ${channelGroups} do not divide ${columns} columns`);
  }
  const perGroup = perTile / channelGroups;
  for (let tile = 0; tile < ones.tiles; tile++) {
    const rowsHere = Math.min(tileRows, rows - tile * tileRows);
    const groups = rowsPerConversion === undefined ? 1 : Math.ceil(rowsHere / rowsPerConversion);
    rowGroups = Math.max(rowGroups, groups);
    for (let channelGroup = 0; channelGroup < channelGroups; channelGroup++) {
      const first = tile * perTile + channelGroup * perGroup;
      let filled = 0;
      for (let at = first; at < first + perGroup; at++) {
        if (ones.counts[at] > 0) filled++;
        if (ones.counts[at] > most) most = ones.counts[at];
      }
      const used = columnPolicy === 'all' ? perGroup : filled;
      const arraysHere = Math.ceil(used / arrayColumns);
      arrays += arraysHere;
      columnsConverted += used;
      conversionsPerPulse += used * groups;
      rowDrivesPerPulse += arraysHere * rowsHere;
      busiestColumns = Math.max(busiestColumns, Math.min(used, arrayColumns));
    }
  }
  return {
    name: layer.name,
    arrays,
    columnsConverted,
    conversionsPerPulse,
    rowDrivesPerPulse,
    busiestColumns,
    rowGroups,
    pulses: vectors * inputBits,
    inputBits: rows * channelGroups * inputBits * vectors,
    outputs: columns * vectors,
    losslessBits: requiredAdcBits(most),
  };
}
