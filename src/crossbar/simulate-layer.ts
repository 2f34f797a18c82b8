import { type LayerInput, type LayerResult, layerJob } from './layer-job';
import { createLayerSimulator, type Engine } from './layer-simulator';

/** Runs the inputs of a layer through its crossbars once; see createLayerSimulator. */
export function simulateLayer(layer: LayerInput, engine?: Engine, record = false): LayerResult {
  const { inputs, vectors, ...mapped } = layerJob(layer);
  return createLayerSimulator(mapped, engine).run(inputs, vectors, record);
}
