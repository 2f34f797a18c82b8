import { type LayerInput, type LayerResult, mapInput } from './layer-job';
import { createLayerSimulator, type Engine } from './layer-simulator';

/** Runs the inputs of a layer through its crossbars once; see createLayerSimulator. */
export function simulateLayer(layer: LayerInput, engine?: Engine, record = false): LayerResult {
  return createLayerSimulator(mapInput(layer), engine).run(layer.inputs, layer.vectors, record);
}
