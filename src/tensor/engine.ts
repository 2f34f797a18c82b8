import { InputError } from '../errors';
import { DType } from './dtype';
import { openNativeEngine } from './native-engine';
import { openPortableEngine } from './portable-engine';
import { engineUnavailable } from './unavailable';

/**
 * The tensor engine: handles, scopes and raw kernels, whichever library runs them. Native TensorFlow has every kernel;
 * where it cannot be had, tfjs's WebAssembly or plain JavaScript kernels do inference and post-training pruning.
 */

export { DType };

/** A tensor in the engine's memory. It must be freed by `dispose` or by the `scope` it was made in. */
export interface Tensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** One attribute of a kernel; make them with `attribute`. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export type TensorData = Float32Array | Int32Array | Uint8Array;

/** What a library must offer to be the engine. Kernel names, attributes and layouts are TensorFlow's. */
export interface Engine {
  /** For provenance: `TensorFlow`, `tfjs wasm` or `tfjs cpu`. */
  readonly name: string;
  readonly version: string;
  /** Runs a kernel; the results are new tensors. */
  execute(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Tensor[],
    outputs: number,
  ): Tensor[];
  upload(data: TensorData, shape: readonly number[], dtype: DType): Tensor;
  read(tensor: Tensor): TensorData;
  free(tensor: Tensor): void;
}

let chosen: Engine | undefined;

/** The engine of this process, opened on first use: what CIM_PRUNING_ENGINE names, else the fastest there is. */
function engine(): Engine {
  chosen ??= openEngine(process.env.CIM_PRUNING_ENGINE);
  return chosen;
}

function openEngine(wanted: string | undefined): Engine {
  switch (wanted) {
    case undefined:
    case '':
      return openFastest();
    case 'native':
      return openNativeEngine();
    case 'wasm':
    case 'cpu':
      return openPortableEngine(wanted, new Error(`CIM_PRUNING_ENGINE=${wanted}`));
    default:
      throw new InputError(`CIM_PRUNING_ENGINE=${wanted}: allowed are native, wasm and cpu`);
  }
}

function openFastest(): Engine {
  try {
    return openNativeEngine();
  } catch (cause) {
    const portable = openPortable(cause);
    console.warn(
      `inference runs on ${portable.name} (slower); ${engineUnavailable('training', undefined).message}`,
    );
    return portable;
  }
}

function openPortable(cause: unknown): Engine {
  try {
    return openPortableEngine('wasm', cause);
  } catch {
    return openPortableEngine('cpu', cause);
  }
}

/** What runs the kernels, for provenance: `{ name: 'TensorFlow', version: '2.18.1' }` or the like. */
export function engineVersion(): { readonly name: string; readonly version: string } {
  const { name, version } = engine();
  return { name, version };
}

/**
 * To be called before work that only the native engine can do, so that it fails before anything else is done.
 * @param work what needs it, as the line shall begin: `training`
 * @throws InputError on another engine.
 */
export function requireNativeEngine(work: string): void {
  if (!isNativeEngine()) throw engineUnavailable(work, undefined);
}

/** Whether TensorFlow's native library runs the kernels. */
export function isNativeEngine(): boolean {
  return engine().name === 'TensorFlow';
}

/** Makes attributes of kernels. Lists are allowed where the kernel takes them. Types are TF_AttrType's (c_api.h). */
export const attribute = {
  string: (name: string, value: string): Attribute => ({ name, type: 0, value }),
  strings: (name: string, value: readonly string[]): Attribute => ({ name, type: 0, value }),
  int: (name: string, value: number | readonly number[]): Attribute => ({ name, type: 1, value }),
  float: (name: string, value: number | readonly number[]): Attribute => ({ name, type: 2, value }),
  bool: (name: string, value: boolean): Attribute => ({ name, type: 3, value }),
  type: (name: string, value: DType): Attribute => ({ name, type: 4, value }),
  types: (name: string, value: readonly DType[]): Attribute => ({ name, type: 4, value }),
  shape: (name: string, value: readonly number[]): Attribute => ({ name, type: 5, value }),
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
  return engine().execute(name, attributes, inputs, outputs).map(adopt);
}

/** Runs kernel `name`, which has one output. */
export function run(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[]): Tensor {
  return runMany(name, attributes, inputs, 1)[0];
}

/** Copies `data` into the engine. Float32Array gives float32, Int32Array int32, Uint8Array uint8. */
export function upload(data: TensorData, shape: readonly number[]): Tensor {
  const dtype =
    data instanceof Float32Array ? DType.float32 : data instanceof Int32Array ? DType.int32 : DType.uint8;
  return adopt(engine().upload(data, shape, dtype));
}

/** Copies a float32, int32 or bool tensor out of the engine. */
export function read(tensor: Tensor): TensorData {
  return engine().read(tensor);
}

/** Frees tensors now. */
export function dispose(...tensors: readonly Tensor[]): void {
  for (const tensor of tensors) {
    engine().free(tensor);
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
  for (const tensor of tensors) engine().free(tensor);
  live -= tensors.size;
}

function returned(result: unknown): readonly Tensor[] {
  if (Array.isArray(result)) return result;
  return typeof result === 'object' && result !== null && 'id' in result ? [result as Tensor] : [];
}
