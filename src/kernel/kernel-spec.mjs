import { fileURLToPath } from 'node:url';

/** Name of the kernel, as notebooks have it in their metadata. */
export const KERNEL_NAME = 'cim-pruning';

/** The kernelspec: this Node runs kernel.mjs beside this file. The language stays what tslab's notebooks say. */
export function kernelSpec() {
  return {
    argv: [process.execPath, fileURLToPath(new URL('kernel.mjs', import.meta.url)), '{connection_file}'],
    display_name: 'TypeScript (cim-pruning)',
    language: 'typescript',
    interrupt_mode: 'signal',
  };
}
