import { ofPlane } from '../bitplanes/per-plane';
import { inputAt } from '../errors';
import type { ConvNode, DenseNode } from '../networks/description';
import type { Inference } from '../networks/inference';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerNetwork } from '../quantization/integer-network';
import { adcCodes } from './adc';
import { type AdcSteps, distinctSteps } from './adc-steps';
import type { CircuitSettings } from './analog-settings';
import { columnLoads } from './column-loads';
import type { LayerAdc } from './layer-adcs';
import { type LayerResult, type MappedLayer, mapLayer } from './layer-job';
import {
  createCircuitSimulator,
  createLayerSimulator,
  type Engine,
  type LayerSimulator,
} from './layer-simulator';
import { inputCodesOf, networkLayer, outputTensor, simulateCodes } from './network-layer';

/** A batch in a layer's crossbars. */
export interface LayerSeen {
  readonly node: ConvNode | DenseNode;
  readonly layer: MappedLayer;
  /** Input codes of the layer, pixels or elements, not patches. */
  readonly codes: Uint8Array | Int8Array;
  readonly result: LayerResult;
}

export interface CrossbarInferenceOptions {
  /** R: rows summed in one conversion. */
  readonly tileRows: number;
  /** The ADCs of a layer. */
  readonly adc: (layer: string) => LayerAdc;
  /** Steps in place of a layer's ADC's own. */
  readonly steps?: (layer: string) => AdcSteps | undefined;
  /** Added digitally to each output channel of a layer whose conversions can clip, in units of weight code times input code. [columns] */
  readonly correction?: (layer: string) => Float32Array | undefined;
  /** Cells, wires and converters of all layers, whose names join the random streams; default: ideal. */
  readonly circuit?: Omit<CircuitSettings, 'layer'>;
  /** Default: compiled, where the kernel is there. Circuits have an engine of their own. */
  readonly engine?: Engine;
  /**
   * Layers in which no conversion can clip are one exact integer product: true (default) leaves them to the tensor
   * engine, which gives the same to the bit; false converts every bit column of theirs, too.
   */
  readonly dispatch?: boolean;
  /** Sees what the crossbars of a layer gave, with the column sums seen: then every layer is converted. */
  readonly onLayer?: (seen: LayerSeen) => void;
}

/** Classifies with every convolution and dense layer on bit-serial crossbars with finite ADCs. */
export function createCrossbarInference(
  network: IntegerNetwork,
  { tileRows, adc, steps, correction, circuit, engine, dispatch = true, onLayer }: CrossbarInferenceOptions,
): Inference {
  const simulators = new Map<string, LayerSimulator | undefined>();
  const simulatorOf = (node: ConvNode | DenseNode) => {
    const { name } = node;
    if (!simulators.has(name)) {
      const layer = networkLayer(node, network.layers.get(name)!, network, { tileRows, adc: adc(name) });
      const mapped = inputAt(`layer ${name}`, () => mapLayer({ ...layer, steps: steps?.(name) }));
      const exact = dispatch && !onLayer && !circuit && neverClips(mapped);
      const create = () =>
        circuit
          ? createCircuitSimulator(mapped, { ...circuit, layer: name })
          : createLayerSimulator(mapped, engine);
      simulators.set(name, exact ? undefined : create());
    }
    return simulators.get(name);
  };
  return createIntegerInference(network, {
    onLayer: (node, inputCodes) => {
      const simulator = simulatorOf(node);
      if (!simulator) return undefined;
      const { layer } = simulator;
      const { shape } = inputCodes;
      const codes = inputCodesOf(inputCodes, network.layers.get(node.name)!.inputSigned);
      const result = simulateCodes(simulator, node, codes, shape, onLayer !== undefined);
      onLayer?.({ node, layer, codes, result });
      return outputTensor(node, shape, result, correction?.(node.name));
    },
  });
}

/** Whether every sum that any input can make converts to itself. */
export function neverClips(layer: MappedLayer): boolean {
  const { adc } = layer;
  if (adc === 'lossless') return true;
  const fits = (load: number, plane: number) => {
    const bits = ofPlane(adc.bits, plane);
    return load === 0 || load <= adcCodes({ ...adc, bits }).highest;
  };
  return distinctSteps(layer).every((step) => step === 1) && columnLoads(layer).byPlane.every(fits);
}
