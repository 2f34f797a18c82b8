import type { PerPlane } from '../bitplanes/per-plane';
import { InputError } from '../errors';
import type { AdcModelName } from '../hardware/adc-model';
import { costModel, type LayerCost, mapScopes, type Scope, type ScopeCost } from '../hardware/design-cost';
import type { HardwareConstants } from '../hardware/hardware-preset';
import { costDesigns, type Gain, type HardwareReport } from '../hardware/hardware-report';
import type { InputActivity, Skipping } from '../hardware/input-activity';
import type { HardwareLayer } from '../hardware/layer-mapping';
import { type MapDesignsInput, type MappedDesign, mapDesigns, mapRowLimited } from '../hardware/map-designs';
import { nodeShapes } from '../networks/node-shapes';
import { groupCount } from '../quantization/channel-groups';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork, PruningRecord } from '../quantization/integer-network';
import { crossbarCodes } from '../quantization/row-order';

export interface NetworkDesignsOptions {
  /** Default: the R the network was pruned for. */
  readonly tileRows: number;
  /** The same network unpruned, for the baselines that need its codes; instead of signed digits it has magnitudes. */
  readonly dense?: IntegerNetwork;
  /** ADC resolution of each layer. */
  readonly adcBits: (layer: string) => PerPlane;
  /** Zero inputs that are skipped; needs `activity`. */
  readonly skip?: Skipping;
  /** How codes lie in cells. Default: as the network was pruned, else sign-split in 1-bit cells. */
  readonly coding?: Pick<Partial<PruningRecord>, 'encoding' | 'cellBits' | 'dacBits'>;
  /** How many rows the inputs drive, by layer: `networkActivity`. */
  readonly activity?: ReadonlyMap<string, InputActivity>;
  /** That of the unpruned network. Default: `activity`. */
  readonly denseActivity?: ReadonlyMap<string, InputActivity>;
}

export interface NetworkHardwareOptions extends NetworkDesignsOptions {
  /** Default `sar-saberi`. */
  readonly adcModel?: AdcModelName;
  /** Default: those of the package. */
  readonly constants?: HardwareConstants;
  /** Arrays that every design may use to balance its pipeline. Default: one copy of each layer. */
  readonly arrayBudget?: number;
}

/** Energy, area and latency of one inference of a network at its own picture size, against its baselines. */
export function networkHardware(network: IntegerNetwork, options: NetworkHardwareOptions): HardwareReport {
  const { adcModel, constants } = options;
  return costDesigns(networkDesigns(network, options), costModel(adcModel, constants), options);
}

/** A network and its baselines mapped to arrays, ready for any cost model. */
export function networkDesigns(network: IntegerNetwork, options: NetworkDesignsOptions): MappedDesign[] {
  return mapDesigns(designsInput(network, options));
}

/** Its row-limited baseline alone. */
export function rowLimitedDesign(network: IntegerNetwork, options: NetworkDesignsOptions): MappedDesign {
  return mapRowLimited(designsInput(network, options));
}

function designsInput(network: IntegerNetwork, options: NetworkDesignsOptions): MapDesignsInput {
  const { tileRows, dense, adcBits, skip, activity, denseActivity, coding = network.pruning } = options;
  const layers = hardwareLayers(network, tileRows, coding).map((layer) => ({
    ...layer,
    adcBits: adcBits(layer.name),
    activity: activity?.get(layer.name),
  }));
  const denseLayers =
    dense &&
    hardwareLayers(dense, tileRows, denseCoding(network)).map((layer) => ({
      ...layer,
      activity: denseActivity?.get(layer.name),
    }));
  return { layers, denseLayers, skip };
}

/**
 * How the unpruned network lies in the same cells: as the pruned one, but for signed digits, which take a plane more for
 * the same codes and would make the baseline the weaker.
 */
function denseCoding({ pruning }: IntegerNetwork): Partial<PruningRecord> | undefined {
  return pruning?.encoding === 'csd' ? { ...pruning, encoding: 'sign-split' } : pruning;
}

function hardwareLayers(
  { description, layers, weightBits }: IntegerNetwork,
  tileRows: number,
  { encoding, cellBits, dacBits = 1 }: Partial<PruningRecord> = {},
): Omit<HardwareLayer, 'adcBits'>[] {
  const shapes = nodeShapes(description);
  const groups = new Map(crossbarNodes(description).map((node) => [node.name, groupCount(node)]));
  return [...layers.values()].map((layer) => {
    const { name, flips, rows, columns, inputBits, inputSigned } = layer;
    if (inputSigned && dacBits !== 1)
      throw new InputError(
        `layer ${name}: inputs of either sign need 1-bit DACs, not the ${dacBits}-bit ones it was pruned for`,
      );
    const codes = crossbarCodes(layer);
    const [height, width] = shapes.get(name)!;
    const coding = { groups: groups.get(name), weightBits, encoding, cellBits, flips, inputBits, dacBits };
    return { name, codes, rows, columns, vectors: height * width, tileRows, ...coding };
  });
}

/** What a design costs, in the few numbers that tables and figures show. */
export interface DesignSummary {
  readonly conversions: number;
  /** Per inference, pJ. */
  readonly energyPj: Readonly<Record<Scope, number>>;
  readonly areaUm2: Readonly<Record<Scope, number>>;
  readonly topsPerW: Readonly<Record<Scope, number>>;
  readonly topsPerMm2: Readonly<Record<Scope, number>>;
  readonly latencyNs: number;
  /** Between pictures, of the full pipeline. */
  readonly intervalNs: number;
  readonly arrays: number;
  readonly utilisation: number;
}

/** A hardware report in the few numbers that tables and figures show. */
export interface HardwareSummary extends DesignSummary {
  readonly adcModel: AdcModelName;
  readonly baselines: readonly (DesignSummary & {
    readonly name: string;
    readonly gains: Readonly<Record<Scope, Gain>>;
  })[];
  /** The pruned network's layers. */
  readonly layers: readonly LayerCost[];
  readonly notes: readonly string[];
}

export function summarizeHardware({ adcModel, pruned, baselines, notes }: HardwareReport): HardwareSummary {
  return {
    adcModel,
    ...summarizeDesign(pruned),
    baselines: baselines.map(({ cost, gains }) => ({ name: cost.name, ...summarizeDesign(cost), gains })),
    layers: pruned.layers,
    notes,
  };
}

/** A baseline of a report, by its name in `mapDesigns`; it must be there, as with `dense` given. */
export function baselineSummary(
  { baselines }: HardwareSummary,
  name: string,
): HardwareSummary['baselines'][number] {
  return baselines.find((baseline) => baseline.name === name)!;
}

/** A design in the few numbers that tables and figures show. */
export function summarizeDesign(cost: HardwareReport['pruned']): DesignSummary {
  const pick = (field: keyof ScopeCost) => mapScopes((scope) => cost.scopes[scope][field]);
  const { conversions, latencyNs, intervalNs, arrays, utilisation } = cost;
  return {
    conversions,
    energyPj: pick('energyPj'),
    areaUm2: pick('areaUm2'),
    topsPerW: pick('topsPerW'),
    topsPerMm2: pick('topsPerMm2'),
    latencyNs,
    intervalNs,
    arrays,
    utilisation,
  };
}
