import { requiredAdcBits } from '../bitplanes/required-adc-bits';
import { InputError } from '../errors';
import { type AdcModelName, adcModel } from './adc-model';
import type { ConstantTable } from './constant-table';
import { type DesignCost, designCost, type Scope, scopes } from './design-cost';
import { tileConstants } from './isaac-tile';
import { type HardwareLayer, layerMapping } from './layer-mapping';

export interface HardwareReportInput {
  /** The pruned network. */
  readonly layers: readonly HardwareLayer[];
  /** The same network before pruning, same layers in the same order (adcBits is not used). */
  readonly denseLayers?: readonly Omit<HardwareLayer, 'adcBits'>[];
  /** Default `sar-saberi`. */
  readonly adcModel?: AdcModelName;
  /** Columns of an array. Default 128. */
  readonly arrayColumns?: number;
  /** Constants of the ADC models; default constants/adc.json. */
  readonly adcConstants?: ConstantTable;
  /** Constants of macro and tile; default constants/isaac-tile.json. */
  readonly tileConstants?: ConstantTable;
}

/** How many times less the pruned network takes. */
export interface Gain {
  readonly energy: number;
  readonly area: number;
  readonly latency: number;
  /** Of energy times area. */
  readonly energyArea: number;
}

export interface Baseline {
  readonly cost: DesignCost;
  readonly description: string;
  readonly gains: Readonly<Record<Scope, Gain>>;
}

export interface HardwareReport {
  readonly adcModel: AdcModelName;
  readonly adcLaw: string;
  readonly pruned: DesignCost;
  readonly baselines: readonly Baseline[];
  /** What a reader must know beside the figures. */
  readonly notes: readonly string[];
}

/**
 * The pruned network against its baselines, per inference, at the three scopes:
 * - `dense, worst case`: every bit column converted, ADCs for R ones (8 bits at R = 128);
 * - `dense, measured`: the unpruned codes, empty columns skipped, each layer's ADCs for the ones it really has;
 * - `row-limited dense`: the unpruned codes at the pruned network's ADC bits b, as many rows a conversion as such an ADC
 *   reads: 2^b - 1 with 1-bit cells.
 * The last two need `denseLayers`; without them row-limited counts every column.
 */
export function hardwareReport(input: HardwareReportInput): HardwareReport {
  const { layers, denseLayers, arrayColumns = 128 } = input;
  if (denseLayers) checkSameLayers(layers, denseLayers);
  const model = {
    adc: adcModel(input.adcModel ?? 'sar-saberi', input.adcConstants),
    tile: input.tileConstants ?? tileConstants,
  };
  const prunedMappings = layers.map((layer) => ({
    mapping: layerMapping(layer, { arrayColumns }),
    adcBits: layer.adcBits,
  }));
  const pruned = designCost('pruned', prunedMappings, model);
  const notes: string[] = [];
  const lossy = prunedMappings.filter(({ mapping, adcBits }) => adcBits < mapping.losslessBits);
  if (lossy.length > 0) {
    notes.push(`clipped operation: ${lossy.map(({ mapping }) => mapping.name).join(', ')} exceed their ADCs`);
  }
  const baselines: [string, DesignCost][] = [
    [
      'every bit column converted, ADCs for as many ones as a tile has rows',
      designCost(
        'dense, worst case',
        layers.map((layer) => ({
          mapping: layerMapping(layer, { columnPolicy: 'all', arrayColumns }),
          adcBits: requiredAdcBits(Math.min(layer.tileRows ?? 128, layer.rows)),
        })),
        model,
      ),
    ],
  ];
  if (denseLayers) {
    baselines.push([
      'unpruned weights, each layer with the ADC bits that its fullest column needs',
      designCost(
        'dense, measured',
        denseLayers.map((layer) => {
          const mapping = layerMapping({ ...layer, adcBits: 0 }, { arrayColumns });
          return { mapping, adcBits: mapping.losslessBits };
        }),
        model,
      ),
    ]);
  }
  baselines.push([
    'unpruned weights at the ADC bits b of the pruned network, as many rows a conversion as such an ADC reads (2^b - 1 of 1-bit cells)',
    designCost(
      'row-limited dense',
      layers.map((layer, i) => ({
        mapping: layerMapping(denseLayers ? { ...denseLayers[i], adcBits: layer.adcBits } : layer, {
          columnPolicy: denseLayers ? 'filled' : 'all',
          arrayColumns,
          rowsPerConversion: rowsRead(layer),
        }),
        adcBits: Math.max(1, layer.adcBits),
      })),
      model,
    ),
  ]);
  const designs = [pruned, ...baselines.map(([, cost]) => cost)];
  for (const { name, extrapolated } of designs) {
    if (extrapolated)
      notes.push(`${name}: ADC bits outside ${model.adc.sourceBits.join('-')}, the model's source`);
  }
  if (!model.adc.areaUm2) notes.push(`${model.adc.name} has no area law; area is that of sar-saberi`);
  return {
    adcModel: model.adc.name,
    adcLaw: model.adc.law,
    pruned,
    baselines: baselines.map(([description, cost]) => ({ cost, description, gains: gains(cost, pruned) })),
    notes,
  };
}

function gains(baseline: DesignCost, pruned: DesignCost): Record<Scope, Gain> {
  const at = (scope: Scope): Gain => {
    const energy = baseline.scopes[scope].energyPj / pruned.scopes[scope].energyPj;
    const area = baseline.scopes[scope].areaUm2 / pruned.scopes[scope].areaUm2;
    return { energy, area, latency: baseline.latencyNs / pruned.latencyNs, energyArea: energy * area };
  };
  return Object.fromEntries(scopes.map((scope) => [scope, at(scope)])) as Record<Scope, Gain>;
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

/** Rows whose fullest cells an ADC of the layer's bits still tells apart; at least 1. */
function rowsRead({ adcBits, cellBits = 1 }: HardwareLayer): number {
  return Math.max(1, Math.floor((2 ** adcBits - 1) / (2 ** cellBits - 1)));
}
