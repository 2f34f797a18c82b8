import { bitSlicedEngine } from './bit-sliced-engine';
import { type LayerInput, type LayerResult, layerJob } from './layer-job';
import { referenceEngine } from './reference-engine';

/** `bit-sliced`: fast. `reference`: one conversion at a time. Both give the same to the bit. */
export type Engine = 'bit-sliced' | 'reference';

/**
 * Runs the inputs of a layer through its crossbars, bit-serially, with every conversion made: outputs [vectors, columns]
 * in units of weight code times input code. With a lossless ADC, or one whose range no column reaches, they are the
 * integer product inputs * codes. The ADC's step must be whole.
 */
export function simulateLayer(layer: LayerInput, engine: Engine = 'bit-sliced'): LayerResult<Int32Array> {
  const job = layerJob(layer);
  if (engine === 'bit-sliced') return bitSlicedEngine(job);
  const { outputs, saturated, conversions } = referenceEngine(job);
  return { outputs: Int32Array.from(outputs), saturated, conversions };
}
