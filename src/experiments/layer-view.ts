import { countOnes } from '../bitplanes/count-ones';
import { evenTileRows } from '../bitplanes/even-tile-rows';
import { onesHistogram } from '../bitplanes/ones-histogram';
import type { PerPlane } from '../bitplanes/per-plane';
import { requiredAdcBits } from '../bitplanes/required-adc-bits';
import { adcBitsOf } from '../quantization/adc-bits';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { layerCodeMatrix } from '../quantization/layer-code-matrix';

/** What pruning did to a layer's bit columns. */
export interface LayerView {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Rows of its row tiles. */
  readonly tileRows: number;
  /** What it was pruned for. */
  readonly adcBits: PerPlane;
  /** Share of its weights that are not zero. */
  readonly nonzeroShare: number;
  readonly before: ColumnView;
  readonly after: ColumnView;
}

/** The bit columns of a layer. */
export interface ColumnView {
  /** Of the fullest bit column. */
  readonly mostOnes: number;
  /** That read it without loss, with 1-bit DACs. */
  readonly requiredAdcBits: number;
  /** Mean ones a bit column, by plane, lowest first. */
  readonly onesByPlane: readonly number[];
  /** Share of the bit columns that hold no one. */
  readonly emptyShare: number;
  /** Bit columns of 0, 1, 2, ... ones. */
  readonly histogram: readonly number[];
}

/** Every layer of a pruned network beside the same one of the unpruned network, coded and tiled alike. */
export function layerViews(network: IntegerNetwork, dense: IntegerNetwork): LayerView[] {
  const { tileRows: crossbarRows, adcBits } = network.pruning!;
  return [...network.layers.values()].map((layer) => {
    const { name, rows, columns, codes } = layer;
    const tileRows = evenTileRows(rows, crossbarRows);
    return {
      name,
      rows,
      columns,
      tileRows,
      adcBits: adcBitsOf(adcBits, name),
      nonzeroShare: codes.reduce((sum, code) => sum + Number(code !== 0), 0) / codes.length,
      before: columnView({ ...layer, codes: dense.layers.get(name)!.codes, flips: undefined }, network),
      after: columnView(layer, network),
    };
  });
}

function columnView(layer: IntegerLayer, network: IntegerNetwork): ColumnView {
  const { counts, planes } = countOnes(layerCodeMatrix(layer, network, network.pruning!.tileRows));
  const onesByPlane = new Array<number>(planes).fill(0);
  counts.forEach((ones, at) => {
    onesByPlane[at % planes] += ones / (counts.length / planes);
  });
  const histogram = [...onesHistogram(counts)];
  const mostOnes = histogram.length - 1;
  return {
    mostOnes,
    requiredAdcBits: requiredAdcBits(mostOnes),
    onesByPlane,
    emptyShare: histogram[0] / counts.length,
    histogram,
  };
}
