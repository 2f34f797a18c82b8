import { InputError } from '../errors';
import type { AdcModelName } from '../hardware/adc-model';
import type { Scope } from '../hardware/design-cost';
import { type Gain, type HardwareReport, hardwareReport } from '../hardware/hardware-report';
import type { HardwareLayer } from '../hardware/layer-mapping';
import { nodeShapes } from '../networks/node-shapes';
import { groupCount } from '../quantization/channel-groups';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork, PruningRecord } from '../quantization/integer-network';
import { crossbarCodes } from '../quantization/row-order';

export interface NetworkHardwareOptions {
  /** Default: the R the network was pruned for. */
  readonly tileRows: number;
  /** The same network unpruned, for the baselines that need its codes. */
  readonly dense?: IntegerNetwork;
  /** ADC resolution of each layer. */
  readonly adcBits: (layer: string) => number;
  /** Default `sar-saberi`. */
  readonly adcModel?: AdcModelName;
}

/** Energy, area and latency of one inference of a network at its own picture size, against its baselines. */
export function networkHardware(network: IntegerNetwork, options: NetworkHardwareOptions): HardwareReport {
  const { tileRows, dense, adcBits, adcModel } = options;
  const { dacBits = 1 } = network.pruning ?? {};
  if (dacBits !== 1) throw new InputError(`dacBits ${dacBits}: the hardware model counts 1-bit DACs only`);
  const layers = hardwareLayers(network, tileRows, network.pruning).map((layer) => ({
    ...layer,
    adcBits: adcBits(layer.name),
  }));
  const denseLayers = dense && hardwareLayers(dense, tileRows, network.pruning);
  return hardwareReport({ layers, denseLayers, adcModel });
}

function hardwareLayers(
  { description, layers, weightBits }: IntegerNetwork,
  tileRows: number,
  { encoding, cellBits }: Partial<PruningRecord> = {},
): Omit<HardwareLayer, 'adcBits'>[] {
  const shapes = nodeShapes(description);
  const groups = new Map(crossbarNodes(description).map((node) => [node.name, groupCount(node)]));
  return [...layers.values()].map((layer) => {
    const { name, flips, rows, columns, inputBits } = layer;
    const codes = crossbarCodes(layer);
    const [height, width] = shapes.get(name)!;
    const coding = { groups: groups.get(name), weightBits, encoding, cellBits, flips, inputBits };
    return { name, codes, rows, columns, vectors: height * width, tileRows, ...coding };
  });
}

/** A hardware report in the few numbers that tables and figures show. */
export interface HardwareSummary {
  readonly adcModel: AdcModelName;
  readonly conversions: number;
  /** Per inference, pJ. */
  readonly energyPj: Readonly<Record<Scope, number>>;
  readonly areaUm2: Readonly<Record<Scope, number>>;
  readonly latencyNs: number;
  readonly baselines: readonly {
    readonly name: string;
    readonly conversions: number;
    readonly energyPj: Readonly<Record<Scope, number>>;
    readonly gains: Readonly<Record<Scope, Gain>>;
  }[];
  readonly notes: readonly string[];
}

export function summarizeHardware({ adcModel, pruned, baselines, notes }: HardwareReport): HardwareSummary {
  const pick = (cost: HardwareReport['pruned'], field: 'energyPj' | 'areaUm2') => ({
    adc: cost.scopes.adc[field],
    macro: cost.scopes.macro[field],
    tile: cost.scopes.tile[field],
  });
  return {
    adcModel,
    conversions: pruned.conversions,
    energyPj: pick(pruned, 'energyPj'),
    areaUm2: pick(pruned, 'areaUm2'),
    latencyNs: pruned.latencyNs,
    baselines: baselines.map(({ cost, gains }) => ({
      name: cost.name,
      conversions: cost.conversions,
      energyPj: pick(cost, 'energyPj'),
      gains,
    })),
    notes,
  };
}
