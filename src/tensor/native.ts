import { engineUnavailable } from './unavailable';

/**
 * The native TensorFlow engine, called kernel by kernel through tfjs-node's binding. This skips tfjs's own tensors and
 * gradient tape: it lets us use every kernel of libtensorflow (bfloat16, fused batch norm and its gradient, fused
 * optimiser updates) and free memory the moment it is no longer needed.
 */

/** TensorFlow's numbers for element types (tensorflow/core/framework/types.proto). */
export const DType = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  resource: 20,
} as const;
export type DType = (typeof DType)[keyof typeof DType];

/** A tensor in the engine's memory. It must be freed by `dispose` or by the `scope` it was made in. */
export interface Tensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** One attribute of a kernel, in the binding's form; make them with `attribute`. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

interface Binding {
  TF_ATTR_STRING: number;
  TF_ATTR_INT: number;
  TF_ATTR_FLOAT: number;
  TF_ATTR_BOOL: number;
  TF_ATTR_TYPE: number;
  TF_ATTR_SHAPE: number;
  TF_Version: string;
  createTensor(shape: readonly number[], dtype: number, data: ArrayBufferView): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): { id: number; shape: number[]; dtype: DType }[];
  getNumOfTensors?(): number;
}

let loaded: Binding | undefined;

/**
 * Loads the engine on first use.
 * @throws InputError when libtensorflow or its binding is not installed.
 */
function binding(): Binding {
  if (loaded) return loaded;
  // tfjs-node 4.22 calls these two, which Node 23 removed.
  const util = require('node:util') as Record<string, unknown>;
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  // Only errors: TensorFlow otherwise greets on stderr.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    const tf = require('@tensorflow/tfjs-node');
    loaded = (tf.backend() as { binding: Binding }).binding;
  } catch (cause) {
    throw engineUnavailable(cause);
  }
  return loaded!;
}

/** Whether the native engine can be loaded here. */
export function nativeAvailable(): boolean {
  try {
    binding();
    return true;
  } catch {
    return false;
  }
}

/** `TensorFlow 2.18.1` or the like, for provenance. */
export function nativeVersion(): string {
  const b = binding();
  return `TensorFlow ${b.TF_Version}`;
}

/** Makes attributes in the binding's form. Lists are allowed where the kernel takes them. */
export const attribute = {
  string: (name: string, value: string): Attribute => ({ name, type: binding().TF_ATTR_STRING, value }),
  int: (name: string, value: number | readonly number[]): Attribute => ({
    name,
    type: binding().TF_ATTR_INT,
    value,
  }),
  float: (name: string, value: number | readonly number[]): Attribute => ({
    name,
    type: binding().TF_ATTR_FLOAT,
    value,
  }),
  bool: (name: string, value: boolean): Attribute => ({ name, type: binding().TF_ATTR_BOOL, value }),
  type: (name: string, value: DType): Attribute => ({ name, type: binding().TF_ATTR_TYPE, value }),
  shape: (name: string, value: readonly number[]): Attribute => ({
    name,
    type: binding().TF_ATTR_SHAPE,
    value,
  }),
};

/** Tensors made since each open scope began, innermost last. */
const scopes: Set<Tensor>[] = [];
let live = 0;

function adopt(tensor: Tensor): Tensor {
  live++;
  scopes.at(-1)?.add(tensor);
  return tensor;
}

/** How many tensors are alive. For leak tests. */
export function liveTensors(): number {
  return live;
}

/** Runs kernel `name` and returns its first `outputs` outputs. */
export function runMany(
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly Tensor[],
  outputs: number,
): Tensor[] {
  const results = binding().executeOp(
    name,
    attributes,
    inputs.map((t) => t.id),
    outputs,
  );
  return results.map(adopt);
}

/** Runs kernel `name`, which has one output. */
export function run(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[]): Tensor {
  return runMany(name, attributes, inputs, 1)[0];
}

/** Copies `data` into the engine. Float32Array gives float32, Int32Array int32, Uint8Array uint8. */
export function upload(data: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): Tensor {
  const dtype =
    data instanceof Float32Array ? DType.float32 : data instanceof Int32Array ? DType.int32 : DType.uint8;
  return adopt({ id: binding().createTensor(shape, dtype, data), shape, dtype });
}

/** Copies a float32, int32 or bool tensor out of the engine. */
export function read(tensor: Tensor): Float32Array | Int32Array | Uint8Array {
  return binding().tensorDataSync(tensor.id);
}

/** Frees tensors now. */
export function dispose(...tensors: readonly Tensor[]): void {
  for (const tensor of tensors) {
    binding().deleteTensor(tensor.id);
    live--;
    for (let i = scopes.length - 1; i >= 0; i--) if (scopes[i].delete(tensor)) break;
  }
}

/** Takes a tensor out of the scopes that would free it; the caller frees it. */
export function keep(tensor: Tensor): Tensor {
  for (const scope of scopes) scope.delete(tensor);
  return tensor;
}

/** Runs `body` and frees every tensor it made, except the one or those it returns, which pass to the outer scope. */
export function scope<T extends Tensor | readonly Tensor[] | undefined | number | Float32Array>(
  body: () => T,
): T {
  const own = new Set<Tensor>();
  scopes.push(own);
  let result: T;
  try {
    result = body();
  } catch (error) {
    scopes.pop();
    release(own);
    throw error;
  }
  scopes.pop();
  const outer = scopes.at(-1);
  for (const tensor of returned(result)) if (own.delete(tensor)) outer?.add(tensor);
  release(own);
  return result;
}

function release(tensors: ReadonlySet<Tensor>): void {
  for (const tensor of tensors) binding().deleteTensor(tensor.id);
  live -= tensors.size;
}

function returned(result: unknown): readonly Tensor[] {
  if (Array.isArray(result)) return result;
  return typeof result === 'object' && result !== null && 'id' in result ? [result as Tensor] : [];
}
