import { requiredAdcBits } from '../bitplanes/required-adc-bits';
import { checkWhole } from '../check-number';
import { columnLoads, eachBitColumn } from './column-loads';
import type { InputForm } from './input-slices';
import { type CrossbarSettings, type MappedLayer, mapLayer } from './layer-job';

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
  const { vectors } = input;
  checkWhole('vectors', vectors, 1);
  const layer = mapLayer({ ...input, rowSplit: 'fixed', adc: 'lossless', steps: undefined });
  const { slices, signedSums } = layer;
  const tiles = layer.tiles.length - 1;
  const bitColumns = tiles * layer.columns * layer.readouts.length;
  const { conversions: filled, largest } = columnLoads(layer);
  const bits = requiredAdcBits(largest);
  return {
    tiles,
    bitColumns,
    emptyBitColumns: bitColumns - filled,
    emptyTiles: tiles - filledTiles(layer),
    conversions: filled * slices.planes * vectors,
    denseConversions: bitColumns * slices.planes * vectors,
    maxOnes: largest / slices.maxPulse,
    requiredAdcBits: signedSums && bits > 0 ? bits + 1 : bits,
    cellDensity: cellDensity(layer),
  };
}

/** Row tiles with a bit column that holds charge. */
function filledTiles(layer: MappedLayer): number {
  const inTile = layer.columns * layer.readouts.length;
  const filled = new Set<number>();
  let visited = 0;
  eachBitColumn(layer, (_added, _taken, used) => {
    if (used) filled.add(Math.floor(visited / inTile));
    visited++;
  });
  return filled.size;
}

/** Share of the cells that hold charge. */
function cellDensity({ codes, encoding }: MappedLayer): number {
  const slots = encoding.polarities * encoding.planes;
  let filled = 0;
  for (const code of codes)
    for (let at = (code + 128) * slots; at < (code + 129) * slots; at++)
      if (encoding.digits[at] !== 0) filled++;
  return filled / (codes.length * slots);
}
