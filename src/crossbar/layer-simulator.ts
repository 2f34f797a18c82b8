import { InputError } from '../errors';
import { createAnalogLayer } from './analog-layer';
import type { CircuitSettings } from './analog-settings';
import { type CompiledLayer, compileLayer } from './compiled-engine';
import { compiledKernel } from './compiled-kernel';
import { convolutionInputs, inputMatrix, vectorInputs } from './layer-inputs';
import { type CrossbarLayer, type LayerResult, type MappedLayer, mapLayer } from './layer-job';
import type { PatchKernel, PatchPictures } from './patches';
import { referenceEngine } from './reference-engine';
import { stuckCells } from './stuck-cells';

/**
 * `compiled`: the WebAssembly kernel, bit-sliced across 128 vectors. `reference`: plain TypeScript, one conversion at a
 * time. Both give the same to the bit.
 */
export type Engine = 'compiled' | 'reference';

export const engines: readonly Engine[] = ['compiled', 'reference'];

/** A layer on its crossbars, ready for any number of inputs. On a circuit there is no record of sums. */
export interface LayerSimulator {
  readonly layer: MappedLayer;
  /** Output channels of input vectors [vectors, inputRows]. `record`: tell how often each column sum was seen. */
  run(inputs: Uint8Array | Int8Array, vectors: number, record?: boolean): LayerResult;
  /** Output channels at every position of a convolution of pictures [count, height, width, channels]. */
  convolve(
    codes: Uint8Array | Int8Array,
    pictures: PatchPictures,
    convolution: PatchKernel,
    record?: boolean,
  ): LayerResult;
}

/**
 * Lays a layer on crossbars, bit-serially, with every conversion made: outputs [vectors, columns] in units of weight code
 * times input code. With a lossless ADC, or one whose range no column reaches, they are the integer product inputs * codes.
 * Default engine: compiled, where the kernel is there.
 */
export function createLayerSimulator(
  layer: CrossbarLayer | MappedLayer,
  engine: Engine = compiledKernel() ? 'compiled' : 'reference',
): LayerSimulator {
  const mapped = 'slices' in layer ? layer : mapLayer(layer);
  return simulator(mapped, engineOf(mapped, engine));
}

/**
 * The same on real cells, wires and converters: the circuit is drawn once, and noise goes on from one run to the
 * next. Outputs are floats; an ideal circuit gives what the other engines give.
 */
export function createCircuitSimulator(
  layer: CrossbarLayer | MappedLayer,
  circuit: CircuitSettings,
): LayerSimulator {
  const mapped = 'slices' in layer ? layer : mapLayer(layer);
  const faulty = stuckCells(mapped, circuit);
  if (faulty) return createLayerSimulator(faulty);
  const run = createAnalogLayer(mapped, circuit);
  let seen = 0;
  return simulator(mapped, (inputs) => {
    const result = run(inputs, seen);
    seen += inputs.vectors;
    return result;
  });
}

function simulator(mapped: MappedLayer, run: CompiledLayer): LayerSimulator {
  return {
    layer: mapped,
    run: (codes, vectors, record = false) => run(vectorInputs(codes, vectors, mapped), record),
    convolve: (codes, pictures, convolution, record = false) =>
      run(convolutionInputs(codes, pictures, convolution, mapped), record),
  };
}

function engineOf(layer: MappedLayer, engine: Engine): CompiledLayer {
  if (engine === 'reference')
    return (inputs, record) =>
      referenceEngine({ ...layer, inputs: inputMatrix(inputs), vectors: inputs.vectors }, record);
  if (engine !== 'compiled')
    throw new InputError(`engine: "${engine}" is unknown; one of ${engines.join(', ')} is needed`);
  const compiled = compiledKernel();
  if (!compiled) throw new InputError('engine: the compiled kernel is not there; set-up makes it');
  return compileLayer(layer, compiled);
}
