import { largestOf, ofPlane } from '../bitplanes/per-plane';
import { type AdcModelName, adcRefusal } from './adc-model';
import type { ConstantTable } from './constant-table';
import { type CostModel, costModel, type DesignCost, designCost, mapScopes, type Scope } from './design-cost';
import { type MapDesignsInput, type MappedDesign, mapDesigns } from './map-designs';

export interface HardwareReportInput extends MapDesignsInput {
  /** Default `sar-saberi`. */
  readonly adcModel?: AdcModelName;
  /** Arrays that every design may use to balance its pipeline with copies of slow layers. Default: one copy of each. */
  readonly arrayBudget?: number;
  /** Constants of the ADC models; default constants/adc.json. */
  readonly adcConstants?: ConstantTable;
  /** Constants of macro and tile; default constants/isaac-tile.json. */
  readonly tileConstants?: ConstantTable;
}

/** How many times less the pruned network takes, or how many times more it does. */
export interface Gain {
  /** Of energy an inference; equally of TOPS/W. */
  readonly energy: number;
  readonly area: number;
  readonly latency: number;
  /** Of energy times area. */
  readonly energyArea: number;
  /** Of operations a second and area. */
  readonly topsPerMm2: number;
  /** Of TOPS/W times TOPS/mm2. */
  readonly product: number;
}

export interface Baseline {
  readonly cost: DesignCost;
  readonly description: string;
  readonly gains: Readonly<Record<Scope, Gain>>;
}

/** A baseline that the ADC model does not answer for. */
export interface LeftOut {
  readonly name: string;
  /** The ADC model's one line. */
  readonly reason: string;
}

export interface HardwareReport {
  readonly adcModel: AdcModelName;
  readonly adcLaw: string;
  readonly pruned: DesignCost;
  readonly baselines: readonly Baseline[];
  readonly leftOut: readonly LeftOut[];
  /** What a reader must know beside the figures. */
  readonly notes: readonly string[];
}

/** The pruned network against the baselines of `mapDesigns`, per inference, at the three scopes. */
export function hardwareReport(input: HardwareReportInput): HardwareReport {
  const constants = { adc: input.adcConstants, tile: input.tileConstants };
  return costDesigns(mapDesigns(input), costModel(input.adcModel, constants), input);
}

/**
 * What mapped designs cost under a model: mapping counts once, models are many. Baselines whose ADCs the model does not
 * answer for are left out with the reason.
 * @throws InputError where it does not answer for the pruned network
 */
export function costDesigns(
  [own, ...others]: readonly MappedDesign[],
  model: CostModel,
  { arrayBudget }: { readonly arrayBudget?: number } = {},
): HardwareReport {
  const costOf = ({ name, layers }: MappedDesign) => designCost(name, layers, model, { arrayBudget });
  const pruned = costOf(own);
  const notes: string[] = [];
  const lossy = own.layers.filter(({ mapping, adcBits }) =>
    mapping.planes.some(({ losslessBits }, plane) => ofPlane(adcBits, plane) < losslessBits),
  );
  if (lossy.length > 0) {
    notes.push(`clipped operation: ${lossy.map(({ mapping }) => mapping.name).join(', ')} exceed their ADCs`);
  }
  const leftOut = others.flatMap((design): LeftOut[] => {
    const reason = designRefusal(design, model);
    return reason === undefined ? [] : [{ name: design.name, reason }];
  });
  const baselines = others
    .filter(({ name }) => !leftOut.some((own) => own.name === name))
    .map((design) => {
      const cost = costOf(design);
      return { cost, description: design.description, gains: gainsOver(cost, pruned) };
    });
  for (const { name, extrapolated } of [pruned, ...baselines.map(({ cost }) => cost)]) {
    if (extrapolated)
      notes.push(`${name}: ADC bits outside ${model.adc.sourceBits.join('-')}, the model's source`);
  }
  const dacBits = Math.max(...own.layers.map(({ mapping }) => mapping.dacBits));
  if (dacBits > 1) {
    notes.push(
      `${dacBits}-bit DACs: energy and area double a bit from ISAAC's 1-bit DAC (dac.unit); arrays and their read time as with 1-bit pulses`,
    );
  }
  if (!model.adc.areaUm2) notes.push(`${model.adc.name} has no area law; area is that of sar-saberi`);
  notes.push(...leftOut.map(({ name, reason }) => `${name}: left out; ${reason}`));
  return { adcModel: model.adc.name, adcLaw: model.adc.law, pruned, baselines, leftOut, notes };
}

/** Why a cost model does not answer for a design's ADCs, in one line; undefined where it does. */
export function designRefusal({ layers }: MappedDesign, { adc }: CostModel): string | undefined {
  const used = layers.flatMap(({ mapping, adcBits }) => [
    largestOf(adcBits),
    ...mapping.planes.flatMap(({ conversions }, plane) => (conversions > 0 ? [ofPlane(adcBits, plane)] : [])),
  ]);
  // Layers without any weight have no ADC.
  const highestFirst = [...new Set(used)].filter((bits) => bits > 0).sort((a, b) => b - a);
  return highestFirst.flatMap((bits) => adcRefusal(adc, bits) ?? [])[0];
}

function gainsOver(baseline: DesignCost, pruned: DesignCost): Record<Scope, Gain> {
  return mapScopes((scope) => {
    const [before, after] = [baseline.scopes[scope], pruned.scopes[scope]];
    const energy = before.energyPj / after.energyPj;
    const area = before.areaUm2 / after.areaUm2;
    const topsPerMm2 = area * (baseline.intervalNs / pruned.intervalNs);
    return {
      energy,
      area,
      latency: baseline.latencyNs / pruned.latencyNs,
      energyArea: energy * area,
      topsPerMm2,
      product: energy * topsPerMm2,
    };
  });
}
