import { InputError } from '../errors';
import { notebookPython, runNotebook } from '../kernel/run-notebook';
import type { OnProgress } from '../progress';

/** Executes a notebook in place on the results of an experiment; says so where there is no Python environment for it. */
export async function executeNotebook(
  path: string,
  results: string,
  { onProgress, note }: { readonly onProgress?: OnProgress; readonly note?: (line: string) => void },
): Promise<void> {
  try {
    notebookPython();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    note?.(`notebook not executed: ${error.message}`);
    return;
  }
  await runNotebook(path, { parameters: { results }, onProgress });
  note?.(`executed ${path}`);
}
