import type { DType } from './dtype';
import type { Attribute, Engine, TensorData } from './engine';
import { engineUnavailable } from './unavailable';

interface Binding {
  TF_Version: string;
  createTensor(shape: readonly number[], dtype: number, data: ArrayBufferView): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): TensorData;
  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): { id: number; shape: number[]; dtype: DType }[];
}

/**
 * Native TensorFlow, called kernel by kernel through tfjs-node's binding. This skips tfjs's own tensors and gradient
 * tape: it lets us use every kernel of libtensorflow (bfloat16, fused batch norm and its gradient, fused optimiser
 * updates) and free memory the moment it is no longer needed.
 * @throws InputError when libtensorflow or its binding is not installed.
 */
export function openNativeEngine(): Engine {
  const binding = loadBinding();
  return {
    name: 'TensorFlow',
    version: binding.TF_Version,
    execute: (name, attributes, inputs, outputs) =>
      binding.executeOp(
        name,
        attributes,
        inputs.map((tensor) => tensor.id),
        outputs,
      ),
    upload(data, shape, dtype) {
      // The binding shares the array's memory where that happens to be aligned to 64 bytes: later writes to the array
      // would change the tensor, and in-place updates of variables the array.
      return { id: binding.createTensor(shape, dtype, data.slice()), shape, dtype };
    },
    read: (tensor) => binding.tensorDataSync(tensor.id),
    free: (tensor) => binding.deleteTensor(tensor.id),
  };
}

function loadBinding(): Binding {
  // tfjs-node 4.22 calls these two, which Node 23 removed.
  const util = require('node:util') as Record<string, unknown>;
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  // Only errors: TensorFlow otherwise greets on stderr.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    const tf = require('@tensorflow/tfjs-node');
    return (tf.backend() as { binding: Binding }).binding;
  } catch (cause) {
    throw engineUnavailable('CIM_PRUNING_ENGINE=native', cause);
  }
}

/** Whether the native engine can be loaded here. */
export function nativeAvailable(): boolean {
  try {
    openNativeEngine();
    return true;
  } catch {
    return false;
  }
}
