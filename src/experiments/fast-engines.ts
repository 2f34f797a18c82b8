import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useCompiledKernel } from '../crossbar/compiled-kernel';
import { packageRoot } from '../package-root';
import { useCompiledCore } from '../projections/column-core';
import { useThreadPool } from '../tensor/parallel';
import { createWorkerPool } from '../tensor/worker-pool';

export interface FastEngines {
  /** Threads that share the work, from 1; default: one a core. */
  readonly threads?: number;
  /** Whether to use what set-up compiled to WebAssembly, where it is there; default true. */
  readonly compiled?: boolean;
}

/**
 * Lets projections, layer ADMM and crossbars use all cores and the compiled cores. Only their speed depends on it: results
 * are the same to the bit. The command line and the package's entry do this with the defaults.
 * @throws InputError for threads that are not a whole number from 1 to 256
 */
export function useFastEngines({ threads, compiled = true }: FastEngines = {}): void {
  useThreadPool(createWorkerPool(threads));
  useCompiledCore(compiled ? compiledBytes('projections', 'core.wasm') : undefined);
  useCompiledKernel(compiled ? compiledBytes('crossbar', 'kernel.wasm') : undefined);
}

/** Reads what set-up compiled when it is first needed; undefined where set-up has not made it. */
function compiledBytes(...path: readonly string[]): () => Uint8Array | undefined {
  const file = join(packageRoot().root, 'dist', ...path);
  return () => (existsSync(file) ? readFileSync(file) : undefined);
}
