import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { InputError } from '../errors';
import { fileError } from '../networks/file-errors';
import { packageRoot } from '../package-root';
import type { OnProgress } from '../progress';
import { makeFolder } from '../reports/save-figure';
import { PARAMETERS_VARIABLE, type Parameter } from './notebook-parameters';

/** As in kernel-spec.mjs, which install.mjs shares: it must run before anything is compiled. */
const KERNEL_NAME = 'cim-pruning';
const DISPLAY_NAME = 'TypeScript (cim-pruning)';

export interface RunNotebookOptions {
  /** What `notebookParameters` gives in the notebook instead of the defaults there. */
  readonly parameters?: Readonly<Record<string, Parameter>>;
  /** Where the executed notebook goes; default: in place. */
  readonly outputPath?: string;
  /** Longest time of a cell, in seconds; default: none. */
  readonly timeout?: number;
  /** Cells done of all, and in between what a cell reports through `showProgress`. */
  readonly onProgress?: OnProgress;
  /** Takes the failing cell, its stderr and its traceback; default: process.stderr. */
  readonly log?: (text: string) => void;
}

/** What became of a notebook. */
export interface NotebookRun {
  readonly outputPath: string;
  /** Code cells that ran. */
  readonly cells: number;
  readonly seconds: number;
}

/**
 * Executes a notebook with this package's kernel in a Python process of its own and writes it with its outputs, whole or not
 * at all, without times, paths of the machine or progress bars.
 * @throws InputError where the notebook or the Python environment is missing or unfit, and where a cell fails (its text,
 * stderr and traceback go to `log` first).
 */
export async function runNotebook(path: string, options: RunNotebookOptions = {}): Promise<NotebookRun> {
  const started = performance.now();
  const notebook = resolve(path);
  const outputPath = resolve(options.outputPath ?? path);
  requireReadable(notebook, path);
  const python = notebookPython();
  makeFolder(dirname(outputPath));
  const folder = mkdtempSync(join(tmpdir(), 'cim-pruning-'));
  try {
    const environment = jupyterEnvironment(folder, options.parameters ?? {});
    const job = {
      path: notebook,
      output: outputPath,
      timeout: options.timeout ?? null,
      kernel: KERNEL_NAME,
      displayName: DISPLAY_NAME,
      parameters: options.parameters ?? {},
      hide: hiddenPaths(dirname(notebook)),
    };
    const cells = await execute(python, JSON.stringify(job), environment, basename(path), options);
    return { outputPath, cells, seconds: (performance.now() - started) / 1000 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The Python that has nbclient: CIM_PRUNING_PYTHON, else that of the checkout's .venv.
 * @throws InputError where it is missing.
 */
export function notebookPython(environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = environment.CIM_PRUNING_PYTHON;
  const inVenv = process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python';
  const python = chosen ?? join(packageRoot().root, '.venv', inVenv);
  if (existsSync(python)) return python;
  throw new InputError(
    chosen
      ? `CIM_PRUNING_PYTHON names ${chosen}, which is not there`
      : 'notebooks need the Python environment .venv, which is not there: run `npm run setup`, or set CIM_PRUNING_PYTHON',
  );
}

function requireReadable(notebook: string, shown: string): void {
  try {
    accessSync(notebook, constants.R_OK);
  } catch (error) {
    throw fileError(shown, 'read', error);
  }
}

/** Jupyter as set up in `folder` alone: our kernel, whatever else is registered or configured on this machine. */
function jupyterEnvironment(
  folder: string,
  parameters: Readonly<Record<string, Parameter>>,
): NodeJS.ProcessEnv {
  const kernel = join(folder, 'kernels', KERNEL_NAME);
  mkdirSync(kernel, { recursive: true });
  const argv = [process.execPath, join(packageRoot().root, 'src/kernel/kernel.mjs'), '{connection_file}'];
  writeFileSync(
    join(kernel, 'kernel.json'),
    JSON.stringify({ argv, display_name: DISPLAY_NAME, language: 'typescript' }),
  );
  const inherited = process.env.JUPYTER_PATH;
  return {
    ...process.env,
    [PARAMETERS_VARIABLE]: JSON.stringify(parameters),
    JUPYTER_PATH: inherited ? `${folder}${delimiter}${inherited}` : folder,
    JUPYTER_RUNTIME_DIR: join(folder, 'runtime'),
    JUPYTER_CONFIG_DIR: join(folder, 'config'),
    JUPYTER_NO_CONFIG: '1',
    JUPYTER_PLATFORM_DIRS: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

/** Texts that name this machine, longest first, and what stands for them in the saved notebook. */
function hiddenPaths(folder: string): [string, string][] {
  const { root } = packageRoot();
  const names: [string, string][] = [
    [`${root}/`, ''],
    [root, '.'],
    [`${folder}/`, ''],
    [homedir(), '~'],
  ];
  return names.filter(([path]) => path.length > 2).sort((a, b) => b[0].length - a[0].length);
}

type Event =
  | { event: 'cell'; number: number; total: number; source: string }
  | { event: 'progress'; done: number; total: number; note?: string }
  | { event: 'unfit'; message: string }
  | { event: 'unwritten'; message: string }
  | {
      event: 'failed';
      cell?: number;
      source?: string;
      message: string;
      traceback?: string;
      stderr?: string;
    };

type Failure = Exclude<Event, { event: 'cell' | 'progress' }>;

/** Runs run_notebook.py and returns how many cells ran. */
function execute(
  python: string,
  job: string,
  environment: NodeJS.ProcessEnv,
  name: string,
  options: RunNotebookOptions,
): Promise<number> {
  const script = join(packageRoot().root, 'src/kernel/run_notebook.py');
  const child = spawn(python, [script, job], { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
  const stop = () => void child.kill();
  process.once('exit', stop);
  let cells = 0;
  let failure: Failure | undefined;
  let said = '';
  const place = { number: 0, total: 0 };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const event = JSON.parse(line) as Event;
    if (event.event === 'cell') {
      Object.assign(place, event);
      cells = event.number;
      options.onProgress?.({ done: event.number, total: event.total, note: `${name}: cells` });
    } else if (event.event === 'progress') {
      const { done, total, note } = event;
      const where = `${name} cell ${place.number + 1}/${place.total}`;
      options.onProgress?.({ done, total, note: note ? `${where}: ${note}` : where });
    } else failure = event;
  });
  return new Promise((fulfil, reject) => {
    child.on('error', (error) => reject(new InputError(`cannot run ${python}: ${error.message}`)));
    // `close` comes after the last line of both streams.
    child.on('close', (status, signal) => {
      process.removeListener('exit', stop);
      if (status === 0) fulfil(cells);
      else reject(explain(name, failure, signal ?? `status ${status}`, said, options));
    });
  });
}

function explain(
  name: string,
  failure: Failure | undefined,
  ending: string,
  said: string,
  { log = (text: string) => void process.stderr.write(text) }: RunNotebookOptions,
): InputError {
  if (failure?.event === 'unfit')
    return new InputError(
      `the Python environment of the notebooks is unfit: ${failure.message}; run \`npm run setup\``,
    );
  if (!failure) {
    log(said);
    return new InputError(
      `${name}: the notebook did not run (${ending}): ${said.trim().split('\n').at(-1) ?? ''}`,
    );
  }
  if (failure.event === 'unwritten') return new InputError(`${name}: cannot write it: ${failure.message}`);
  const place = failure.cell === undefined ? 'after the last cell' : `cell ${failure.cell}`;
  const cell = failure.source?.replace(/^/gm, '    ');
  log(
    [`${name}, ${place}:`, cell, failure.stderr, failure.traceback, said]
      .filter(Boolean)
      .map((text) => `${text!.trimEnd()}\n`)
      .join(''),
  );
  return new InputError(`${name}: ${place} failed: ${failure.message.split('\n')[0]}`);
}
