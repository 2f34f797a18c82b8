import { evenTileRows } from '../bitplanes/even-tile-rows';
import { largestOf } from '../bitplanes/per-plane';
import { requiredAdcBits } from '../bitplanes/required-adc-bits';
import { inputSlices } from '../crossbar/input-slices';
import { InputError } from '../errors';
import type { MappedLayerCost } from './design-cost';
import type { Skipping } from './input-activity';
import { type HardwareLayer, layerMapping } from './layer-mapping';

/** The baseline that gives the unpruned network its due: its own codes, each layer with the ADC bits it really needs. */
export const FAIR_BASELINE = 'dense, measured';

/** The baseline with every column converted by ADCs for as many full cells as a tile has rows. */
export const WORST_CASE = 'dense, worst case';

/** The baseline that needs no pruning: as few rows driven at a time as the pruned network's ADCs read. */
export const ROW_LIMITED = 'row-limited dense';

/** The pruned network or a baseline, counted but not yet costed. */
export interface MappedDesign {
  readonly name: string;
  readonly description: string;
  readonly layers: readonly MappedLayerCost[];
}

export interface MapDesignsInput {
  /** The pruned network. */
  readonly layers: readonly HardwareLayer[];
  /** The same network before pruning, same layers in the same order (adcBits is not used). */
  readonly denseLayers?: readonly Omit<HardwareLayer, 'adcBits'>[];
  /** Columns of an array. Default 128. */
  readonly arrayColumns?: number;
  /** Zero inputs that are skipped, in all designs alike; layers need their `activity`. */
  readonly skip?: Skipping;
}

/**
 * The pruned network first, then its baselines:
 * - `WORST_CASE`: every bit column converted, ADCs for R full cells under full pulses: 8 bits at R = 128 with 1-bit
 *   cells and DACs;
 * - `FAIR_BASELINE`: the unpruned codes, empty columns skipped, each layer's ADCs for the ones it really has;
 * - `ROW_LIMITED`: the unpruned codes at the pruned network's ADC bits b (the largest of a layer's planes), as many
 *   rows a conversion as such an ADC reads: 2^b - 1 with 1-bit cells and DACs, one at least.
 * All are of `denseLayers`. Without them there is no `FAIR_BASELINE`, and the others count the pruned network's columns, all.
 */
export function mapDesigns(input: MapDesignsInput): MappedDesign[] {
  const { layers } = input;
  const settings = settingsOf(input);
  const dense = denseOf(input);
  return [
    {
      name: 'pruned',
      description: 'pruned weights, empty bit columns and tiles skipped, ADCs as promised by the pruning',
      layers: layers.map((layer) => ({ mapping: layerMapping(layer, settings), adcBits: layer.adcBits })),
    },
    {
      name: WORST_CASE,
      description: 'every bit column converted, ADCs for as many ones as a tile has rows',
      layers: (dense ?? layers).map((layer) => ({
        mapping: layerMapping({ ...layer, adcBits: 0 }, { columnPolicy: 'all', ...settings }),
        adcBits: requiredAdcBits(evenTileRows(layer.rows, layer.tileRows ?? 128) * largestDrive(layer)),
      })),
    },
    ...(dense
      ? [
          {
            name: FAIR_BASELINE,
            description: 'unpruned weights, each layer with the ADC bits that its fullest column needs',
            layers: dense.map((layer) => {
              const mapping = layerMapping({ ...layer, adcBits: 0 }, settings);
              return { mapping, adcBits: mapping.losslessBits };
            }),
          },
        ]
      : []),
    mapRowLimited(input),
  ];
}

/** The baseline `ROW_LIMITED` alone. */
export function mapRowLimited(input: MapDesignsInput): MappedDesign {
  const dense = denseOf(input);
  return {
    name: ROW_LIMITED,
    description:
      'unpruned weights at the ADC bits b of the pruned network, as many rows a conversion as such an ADC reads (2^b - 1 of 1-bit cells)',
    layers: input.layers.map((layer, i) => ({
      mapping: layerMapping(dense ? { ...dense[i], adcBits: layer.adcBits } : layer, {
        columnPolicy: dense ? 'filled' : 'all',
        rowsPerConversion: rowsRead(layer),
        ...settingsOf(input),
      }),
      adcBits: Math.max(largestOf(layer.adcBits), requiredAdcBits(largestDrive(layer))),
    })),
  };
}

function settingsOf({ arrayColumns = 128, skip }: MapDesignsInput) {
  return { arrayColumns, skip };
}

/** The unpruned layers; those whose inputs were not counted have the pruned network's. */
function denseOf({ layers, denseLayers }: MapDesignsInput) {
  if (!denseLayers) return undefined;
  checkSameLayers(layers, denseLayers);
  return denseLayers.map((layer, i) => ({ ...layer, activity: layer.activity ?? layers[i].activity }));
}

function checkSameLayers(
  layers: readonly HardwareLayer[],
  dense: readonly Omit<HardwareLayer, 'adcBits'>[],
): void {
  if (layers.length !== dense.length) {
    throw new InputError(`denseLayers: ${dense.length} layers where the pruned network has ${layers.length}`);
  }
  layers.forEach((layer, i) => {
    for (const field of ['name', 'rows', 'columns', 'vectors'] as const) {
      if (layer[field] !== dense[i][field]) {
        throw new InputError(
          `denseLayers[${i}].${field}: ${dense[i][field]} where the pruned network has ${layer[field]}`,
        );
      }
    }
  });
}

/** Rows whose fullest cells an ADC of the layer's bits still tells apart under full pulses; at least 1. */
function rowsRead(layer: HardwareLayer): number {
  return Math.max(1, Math.floor((2 ** largestOf(layer.adcBits) - 1) / largestDrive(layer)));
}

/** What a full cell adds to a column's sum under a full pulse. */
export function largestDrive({
  cellBits = 1,
  inputBits = 8,
  dacBits = 1,
}: Pick<HardwareLayer, 'cellBits' | 'inputBits' | 'dacBits'>): number {
  return (2 ** cellBits - 1) * inputSlices(inputBits, dacBits).maxPulse;
}
