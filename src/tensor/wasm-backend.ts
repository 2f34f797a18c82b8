import type { KernelBackend } from '@tensorflow/tfjs-core';

/** Node has it, @types/node 20 does not; only what is used here. */
declare const WebAssembly: {
  Module: new (binary: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: object };
};

/** The parts of Emscripten's module that are used here. */
interface WasmModule {
  instantiateWasm(imports: object, done: (instance: object) => void): object;
  cwrap(name: string, result: 'number' | null, parameters: readonly 'number'[]): unknown;
  _malloc(bytes: number): number;
  tfjs: Record<string, unknown>;
}

const PACKAGE = '@tensorflow/tfjs-backend-wasm';

/**
 * tfjs's WebAssembly backend, ready at once. tfjs starts it asynchronously, for browsers' sake, and that would make
 * every caller of a kernel asynchronous; under Node the module can be compiled in place, which takes 20 ms.
 * What is done here is `init` of tfjs-backend-wasm/src/backend_wasm.ts (4.22.0) without its promises.
 */
export function openWasmBackend(): KernelBackend {
  const { BackendWasm } = require(PACKAGE) as { BackendWasm: new (wasm: unknown) => KernelBackend };
  const { getKernelsForBackend } = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core');
  // Required here: whoever does not ask for this backend, such as a browser, has no file system.
  const { readFileSync } = require('node:fs') as typeof import('node:fs');
  const wasm = instantiate(readFileSync(require.resolve(`${PACKAGE}/wasm-out/tfjs-backend-wasm-simd.wasm`)));
  wasm.tfjs = {
    init: wasm.cwrap('init', null, []),
    initWithThreadsCount: wasm.cwrap('init_with_threads_count', null, ['number']),
    getThreadsCount: wasm.cwrap('get_threads_count', 'number', []),
    registerTensor: wasm.cwrap('register_tensor', null, ['number', 'number', 'number']),
    disposeData: wasm.cwrap('dispose_data', null, ['number']),
    dispose: wasm.cwrap('dispose', null, []),
  };
  failWhenFull(wasm);
  const backend = new BackendWasm(wasm);
  for (const { setupFunc } of getKernelsForBackend('wasm')) setupFunc?.(backend);
  return backend;
}

function instantiate(binary: Uint8Array): WasmModule {
  const factory = require(`${PACKAGE}/wasm-out/tfjs-backend-wasm.js`) as (
    module: Partial<WasmModule>,
  ) => void;
  const wasm: Partial<WasmModule> = {
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), imports);
      done(instance);
      return instance.exports;
    },
  };
  keepListeners(() => factory(wasm));
  return wasm as WasmModule;
}

/** Emscripten takes over the process's handling of uncaught errors, which is not a library's business. */
function keepListeners(start: () => void): void {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => process.listeners(event as 'uncaughtException'));
  start();
  for (const [i, event] of events.entries())
    for (const listener of process.listeners(event as 'uncaughtException'))
      if (!before[i].includes(listener)) process.removeListener(event, listener);
}

/** tfjs writes to address 0 when memory runs out. */
function failWhenFull(wasm: WasmModule): void {
  const allocate = wasm._malloc;
  wasm._malloc = (bytes) => {
    const address = allocate(bytes);
    if (address === 0 && bytes > 0)
      throw new Error(`WebAssembly's memory is full (${bytes} bytes wanted): take smaller batches`);
    return address;
  };
}
