import type { DataType, KernelBackend, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { DType } from './dtype';
import type { Engine, Tensor, TensorData } from './engine';
import { float64Kernels, type HostMatrix } from './float64-kernels';
import { type KernelCall, portableKernels } from './portable-kernels';
import { engineUnavailable } from './unavailable';
import { openWasmBackend } from './wasm-backend';

/** tfjs's names of element types. It has no 8-bit integers: those are kept as int32. */
const TYPE_NAMES: Partial<Record<DType, DataType>> = {
  [DType.float32]: 'float32',
  [DType.int32]: 'int32',
  [DType.uint8]: 'int32',
  [DType.bool]: 'bool',
};

/**
 * tfjs's kernels behind TensorFlow's names: all that inference and post-training pruning need. Float64 matrices, which
 * tfjs lacks, are held and worked on here.
 * @param cause why the native engine does not serve, kept in the error that training kernels throw
 */
export function openPortableEngine(kind: 'wasm' | 'cpu', cause: unknown): Engine {
  const core = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core');
  const backend = kind === 'wasm' ? openWasmBackend() : openCpuBackend(core);
  const values = new Map<number, TensorInfo | HostMatrix>();
  let lastId = 0;

  function adopt(value: TensorInfo | HostMatrix, dtype: DType): Tensor {
    const tensor = { id: ++lastId, shape: value.shape, dtype };
    values.set(tensor.id, value);
    return tensor;
  }

  function upload(data: TensorData, shape: readonly number[], dtype: DType): Tensor {
    const type = TYPE_NAMES[dtype]!;
    const copy = type === 'int32' ? Int32Array.from(data) : data.slice();
    return adopt({ dataId: backend.write(copy, [...shape], type), shape: [...shape], dtype: type }, dtype);
  }

  function read(tensor: Tensor): TensorData {
    const data = backend.readSync((values.get(tensor.id) as TensorInfo).dataId) as TensorData;
    // The cpu backend hands out its own memory.
    return kind === 'cpu' ? data.slice() : data;
  }

  /** Runs kernel `name` of tfjs. */
  const call: KernelCall = (name, inputs, attrs = {}) =>
    core.getKernel(name, kind).kernelFunc({
      // A list of tensors, which Concat takes, is a map from positions.
      inputs: inputs as Record<string, TensorInfo>,
      attrs: attrs as NamedAttrMap,
      backend,
    });

  function execute(
    name: string,
    attributes: Parameters<Engine['execute']>[1],
    inputs: readonly Tensor[],
  ): Tensor[] {
    const get = (attribute: string) => attributes.find((a) => a.name === attribute)?.value;
    if (inputs[0]?.dtype === DType.float64 || get('DstT') === DType.float64)
      return executeFloat64(name, inputs, get);
    const kernel = portableKernels[name];
    const dtype = (get('DstT') ?? inputs[0]?.dtype) as DType;
    if (!kernel || !TYPE_NAMES[dtype]) throw engineUnavailable('training', cause);
    const infos = inputs.map((tensor) => values.get(tensor.id) as TensorInfo);
    const read = (i: number) => Array.from(backend.readSync(infos[i].dataId) as TensorData);
    const results = kernel({ call, inputs: infos, get, read, type: TYPE_NAMES[dtype] });
    return (Array.isArray(results) ? results : [results]).map((info) => adopt(info, dtype));
  }

  /** Matrices come from float32 and go back to it by Cast. */
  function executeFloat64(name: string, inputs: readonly Tensor[], get: (name: string) => unknown): Tensor[] {
    const held = inputs.map((tensor) => values.get(tensor.id)!);
    if (name === 'Cast' && get('DstT') === DType.float64) {
      const data = Float64Array.from(read(inputs[0]));
      return [adopt({ data, shape: inputs[0].shape.slice() }, DType.float64)];
    }
    if (name === 'Cast' && get('DstT') === DType.float32) {
      const { data, shape } = held[0] as HostMatrix;
      return [upload(Float32Array.from(data), shape, DType.float32)];
    }
    const kernel = float64Kernels[name];
    if (!kernel) throw engineUnavailable(`the float64 kernel ${name}`, cause);
    return kernel(held as HostMatrix[], get).map((matrix) => adopt(matrix, DType.float64));
  }

  function free(tensor: Tensor): void {
    const value = values.get(tensor.id);
    if (value && 'dataId' in value) backend.disposeData(value.dataId);
    values.delete(tensor.id);
  }

  return { name: `tfjs ${kind}`, version: core.version_core, execute, upload, read, free };
}

function openCpuBackend(core: typeof import('@tensorflow/tfjs-core')): KernelBackend {
  require('@tensorflow/tfjs-backend-cpu');
  const backend = core.findBackendFactory('cpu')() as KernelBackend & { firstUse: boolean };
  // On first use it would advertise tfjs-node.
  backend.firstUse = false;
  return backend;
}
