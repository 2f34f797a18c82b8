import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root';
import { useCompiledCore } from '../projections/column-core';
import { useThreadPool } from '../tensor/parallel';
import { createWorkerPool } from '../tensor/worker-pool';

export interface ProjectionSpeed {
  /** Threads that share the columns, from 1; default: one a core. */
  readonly threads?: number;
  /** Whether to use the core that set-up compiled to WebAssembly, where it is there; default true. */
  readonly compiled?: boolean;
}

/**
 * Lets projections and layer ADMM use all cores and the compiled core. Only their speed depends on it: results are the
 * same to the bit. The command line and the package's entry do this with the defaults.
 * @throws InputError for threads that are not a whole number from 1 to 256
 */
export function useFastProjections({ threads, compiled = true }: ProjectionSpeed = {}): void {
  useThreadPool(createWorkerPool(threads));
  useCompiledCore(compiled ? readCore : undefined);
}

/** The bytes of the compiled core; undefined where set-up has not made it. */
function readCore(): Uint8Array | undefined {
  const path = join(packageRoot().root, 'dist', 'projections', 'core.wasm');
  return existsSync(path) ? readFileSync(path) : undefined;
}
