import { InputError } from '../errors';
import { type CostModel, costModel } from '../hardware/design-cost';
import { crosssimFiles } from '../hardware/exports/crosssim';
import type { ExportFile } from '../hardware/exports/export-file';
import { type LayerTrace, neurosimFiles } from '../hardware/exports/neurosim';
import { timeloopFiles } from '../hardware/exports/timeloop';
import { costDesigns } from '../hardware/hardware-report';
import type { Pictures } from '../networks/inference';
import { adcBitsOf } from '../quantization/adc-bits';
import type { IntegerNetwork } from '../quantization/integer-network';
import { toOnnx } from '../quantization/to-onnx';
import { crossbarInputs } from './crossbar-inputs';
import { layerVectors } from './layer-vectors';
import { networkDesigns } from './network-hardware';
import { observeLayers } from './observe-layers';

export const exportFormats = ['onnx', 'neurosim', 'timeloop', 'crosssim'] as const;

export type ExportFormat = (typeof exportFormats)[number];

export interface ExportOptions {
  /** Names the files. */
  readonly name: string;
  /** NeuroSim only: the picture whose input bits are written. */
  readonly picture?: Pictures;
  /** Timeloop only: whose energies and areas are written. Default `sar-saberi` with the package's constants. */
  readonly model?: CostModel;
}

/** A pruned network for another tool, in files that are yet to be written. */
export function exportNetwork(
  network: IntegerNetwork,
  format: ExportFormat,
  { name, picture, model = costModel() }: ExportOptions,
): ExportFile[] {
  const { pruning } = network;
  switch (format) {
    case 'onnx':
      return [{ path: `${name}.onnx`, content: toOnnx(network) }];
    case 'crosssim':
      return crosssimFiles(network);
    case 'neurosim':
      if (!picture) throw new InputError('NeuroSim: a picture is needed, whose input bits it takes');
      return neurosimFiles(network, layerTraces(network, picture), name);
    case 'timeloop': {
      if (!pruning) throw new InputError('not a pruned network: its ADC bits are not known');
      const adcBits = (layer: string) => adcBitsOf(pruning.adcBits, layer);
      const designs = networkDesigns(network, { tileRows: pruning.tileRows, adcBits });
      const { pruned } = costDesigns(designs, model);
      return timeloopFiles(network, pruned, model);
    }
  }
}

/** Input vectors of every ungrouped layer, rows as they stand on the crossbars. */
function layerTraces(network: IntegerNetwork, picture: Pictures): ReadonlyMap<string, LayerTrace> {
  const traces = new Map<string, LayerTrace>();
  observeLayers(network, picture, (node, inputCodes) => {
    const vectors = layerVectors(node, network.layers.get(node.name)!, inputCodes);
    const groups = crossbarInputs(network, node, vectors, network.pruning?.tileRows ?? 128);
    if (groups.length === 1) traces.set(node.name, groups[0]);
    return undefined;
  });
  return traces;
}
