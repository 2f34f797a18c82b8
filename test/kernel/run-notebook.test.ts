import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { InputError } from '../../src/errors';
import { notebookPython, runNotebook } from '../../src/kernel/run-notebook';
import { PROGRESS_TYPE } from '../../src/kernel/show-progress';
import { packageRoot } from '../../src/package-root';
import type { Progress } from '../../src/progress';

const folder = mkdtempSync(join(tmpdir(), 'cim-notebook-'));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

interface SavedNotebook {
  metadata: Record<string, unknown>;
  cells: { execution_count: number; metadata: object; outputs: Record<string, unknown>[] }[];
}

function write(name: string, ...cells: string[]): string {
  const path = join(folder, name);
  const notebook = {
    cells: cells.map((source, i) => ({
      cell_type: 'code',
      id: `c${i}`,
      source,
      metadata: { execution: { x: '2020' } },
      outputs: [],
      execution_count: null,
    })),
    metadata: { kernelspec: { name: 'cim-pruning', display_name: '', language: 'typescript' } },
    nbformat: 4,
    nbformat_minor: 5,
  };
  writeFileSync(path, JSON.stringify(notebook));
  return path;
}

const havePython = (() => {
  try {
    return Boolean(notebookPython());
  } catch {
    return false;
  }
})();

describe.skipIf(!havePython)('a notebook under our kernel', { timeout: 120_000 }, () => {
  test('runs from any folder, keeps its outputs, and shows nothing of the machine or the moment', async () => {
    const display = (done: number) => `{ data: { '${PROGRESS_TYPE}': { done: ${done}, total: 2, note: 'n' } },
      metadata: {}, transient: { display_id: 'd' } }`;
    const path = write(
      'good.ipynb',
      'const a: number = 1; console.log(process.env.CIM_PRUNING_PARAMETERS);',
      '// A name of an earlier cell in shorthand, which plain tslab breaks.\nconsole.log(JSON.stringify({ a }));',
      `const write = require('tslab/dist/jupyter.js').lastWriteDisplayData;
       write(${display(1)}, false); write(${display(2)}, true);`,
      'function burst() { for (let i = 0; i < 3000; i++) console.log("line " + i); }\nburst();',
      "await new Promise<void>((done) => process.stdout.write('written', 'utf8', () => done()));",
      `console.log('${homedir()}/x', '${packageRoot().root}/src/a.ts');`,
    );
    const outputPath = join(folder, 'out/good.ipynb');
    const reports: Progress[] = [];
    const run = await runNotebook(path, {
      outputPath,
      parameters: { rows: 64, results: `${homedir()}/r.json` },
      onProgress: (progress) => reports.push(progress),
    });
    expect(run).toMatchObject({ outputPath, cells: 6 });
    const text = readFileSync(outputPath, 'utf8');
    const saved: SavedNotebook = JSON.parse(text);
    const printed = saved.cells.map(({ outputs }) =>
      outputs.map((output) => [output.text].flat().join('')).join(''),
    );
    expect(printed[0]).toBe('{"rows":64,"results":"~/r.json"}\n');
    expect(printed[1]).toBe('{"a":1}\n');
    expect(saved.cells[2].outputs).toEqual([]);
    expect(printed[3].split('\n')).toHaveLength(3001);
    expect(printed[4]).toBe('written');
    expect(printed[5]).toBe('~/x src/a.ts\n');
    expect(saved.cells.map((cell) => cell.execution_count)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(saved.cells[0].metadata).toEqual({});
    expect(saved.metadata).toMatchObject({
      kernelspec: { name: 'cim-pruning', language: 'typescript' },
      'cim-pruning': { parameters: { rows: 64, results: '~/r.json' } },
    });
    expect(reports).toContainEqual({ done: 2, total: 2, note: 'good.ipynb cell 3/6: n' });
    expect(reports.at(-1)).toEqual({ done: 6, total: 6, note: 'good.ipynb: cells' });
  });

  test.each([
    [
      'a thrown error',
      ['1;', "console.error('hint'); throw new RangeError('too far');"],
      'cell 2 failed: RangeError: too far',
      /cell 2:\n.*throw new RangeError.*hint\n.*RangeError: too far/s,
    ],
    [
      'a wrong type',
      ["const a: number = 'a';"],
      "cell 1 failed: TypeScriptError: 1:7 - Type 'string' is not assignable to type 'number'.",
      /const a: number/,
    ],
    [
      'a rejection that nobody awaits, even after the last cell',
      ["setTimeout(() => Promise.reject(new Error('stray')), 0); void 0;"],
      'failed: Error: stray',
      /nothing was there to catch it/,
    ],
  ])(
    '%s fails the run with one line, the cell and its stderr in the log, and nothing written',
    async (_, cells, message, said) => {
      const path = write('bad.ipynb', ...cells);
      const before = readFileSync(path, 'utf8');
      const log = vi.fn();
      const run = runNotebook(path, { log });
      await expect(run).rejects.toThrow(InputError);
      await expect(run).rejects.toThrow(message);
      expect(log.mock.calls.join('')).toMatch(said);
      expect(readFileSync(path, 'utf8')).toBe(before);
    },
  );

  test('a cell that takes longer than the time-out fails the run', async () => {
    const path = write('slow.ipynb', 'await new Promise((done) => setTimeout(done, 60_000));');
    await expect(runNotebook(path, { timeout: 2, log: () => undefined })).rejects.toThrow(
      'slow.ipynb: cell 1 failed: no end after 2 s',
    );
  });
});

test.each([
  ['status 3', "console.error('boom'); process.exit(3);", 'the notebook did not run (status 3): boom'],
  [
    'an unfit environment',
    'console.log(JSON.stringify({event:"unfit",message:"no nbclient"})); process.exit(1);',
    'the Python environment of the notebooks is unfit: no nbclient; run `npm run setup`',
  ],
])('a Python that ends with %s is one line', async (_, script, message) => {
  const python = join(folder, 'python');
  writeFileSync(python, `#!${process.execPath}\n${script}\n`);
  chmodSync(python, 0o755);
  vi.stubEnv('CIM_PRUNING_PYTHON', python);
  const run = runNotebook(write('any.ipynb', '1;'), { log: () => undefined });
  await expect(run).rejects.toThrow(InputError);
  await expect(run).rejects.toThrow(message);
});

test('a missing notebook or Python is one line, and nothing is written', async () => {
  await expect(runNotebook(join(folder, 'none.ipynb'))).rejects.toThrow(
    /cannot read .*none.ipynb: no such file/,
  );
  vi.stubEnv('CIM_PRUNING_PYTHON', join(folder, 'no-python'));
  const outputPath = join(folder, 'sub/x.ipynb');
  await expect(runNotebook(write('any.ipynb', '1;'), { outputPath })).rejects.toThrow(
    /CIM_PRUNING_PYTHON names .*no-python, which is not there/,
  );
  expect(existsSync(join(folder, 'sub'))).toBe(false);
});
