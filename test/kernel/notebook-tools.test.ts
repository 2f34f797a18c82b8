import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { InputError } from '../../src/errors';
import { inNotebook } from '../../src/kernel/notebook-display';
import { notebookParameters } from '../../src/kernel/notebook-parameters';
import { showFigure } from '../../src/kernel/show-figure';
import { showTable } from '../../src/kernel/show-table';
import { packageRoot } from '../../src/package-root';
import { lines } from '../../src/reports/lines';

afterEach(() => vi.restoreAllMocks());

describe('parameters of a notebook', () => {
  const defaults = { profile: 'smoke', rows: 128, certify: true, bits: [2, 3] };
  const given = (text: string) => notebookParameters(defaults, { CIM_PRUNING_PARAMETERS: text });

  test('are the defaults, overridden by what the environment gives', () => {
    expect(notebookParameters(defaults, {})).toEqual(defaults);
    expect(given('{"rows": 64, "bits": [4]}')).toEqual({ ...defaults, rows: 64, bits: [4] });
  });

  test.each([
    ['{"row": 64}', 'notebook parameter "row" is unknown; there are profile, rows, certify, bits'],
    ['{"rows": "64"}', 'notebook parameter "rows" is "64", it must be a number'],
    ['{"bits": ["2"]}', 'notebook parameter "bits" is ["2"], it must be a list of numbers'],
    ['{"certify": null}', 'must be a boolean'],
    ['[1]', 'CIM_PRUNING_PARAMETERS holds no JSON object'],
    ['{', 'CIM_PRUNING_PARAMETERS holds no JSON object'],
  ])('%s is refused with one line', (text, message) => {
    expect(() => given(text)).toThrow(InputError);
    expect(() => given(text)).toThrow(message);
  });
});

describe('outside a notebook', () => {
  test('tables and figures are printed as text', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(inNotebook()).toBe(false);
    showTable({ title: 'T', columns: [{ key: 'a', label: 'A' }], rows: [{ a: 1 }] });
    const series = [{ name: 's', x: [1], y: [1] }];
    await showFigure(lines({ title: 'F', x: { title: 'x' }, y: { title: 'y' }, series }));
    expect(write.mock.calls.map(([text]) => text)).toEqual(['T\nA\n─\n1\n', 'Figure: F (s)\n']);
  });
});

describe('the registration of the kernel', () => {
  const { root } = packageRoot();
  const install = (...words: string[]) =>
    execFileSync(process.execPath, [join(root, 'src/kernel/install.mjs'), ...words], {
      encoding: 'utf8',
      stdio: 'pipe',
    });

  test('writes the kernelspec once, from whatever folder it is called', () => {
    const environment = join(mkdtempSync(join(tmpdir(), 'cim-kernel-')), 'a venv');
    mkdirSync(environment);
    writeFileSync(join(environment, 'pyvenv.cfg'), '');
    expect(install(environment)).toContain('registered');
    expect(install(environment)).toContain('is registered');
    const path = join(environment, 'share/jupyter/kernels/cim-pruning/kernel.json');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      argv: [process.execPath, join(root, 'src/kernel/kernel.mjs'), '{connection_file}'],
      language: 'typescript',
    });
    rmSync(join(environment, '..'), { recursive: true });
  });

  test('where there is no Python environment, fails with one line', () => {
    expect(() => install(join(tmpdir(), 'nowhere'))).toThrow(/no Python environment at .*nowhere/);
  });
});
