import { describe, expect, it } from 'vitest';
import { compilerParameters } from '../../src/setup/binding.mjs';
import { countTests } from '../../src/setup/count-tests.mjs';
import { BINDING_MENDS, mendBinding } from '../../src/setup/mend-binding.mjs';
import { duration, progressText, size } from '../../src/setup/report.mjs';
import { tellingLine } from '../../src/setup/run.mjs';
import { supportsNode } from '../../src/setup/setup.mjs';
import { STEPS } from '../../src/setup/steps.mjs';

const file = (status: string, states: string[]) => ({
  status,
  assertionResults: states.map((state) => ({ status: state })),
});

describe('countTests', () => {
  it('counts tests that passed and failed, not those skipped', () => {
    const report = {
      testResults: [file('failed', ['passed', 'failed', 'skipped']), file('passed', ['passed'])],
    };
    expect(countTests(report, 1)).toEqual({ passed: 2, failed: 1 });
  });

  it('counts a file that does not load, an error outside of tests, and a missing report as a failure', () => {
    expect(countTests({ testResults: [file('failed', []), file('passed', ['passed'])] }, 1)).toEqual({
      passed: 1,
      failed: 1,
    });
    expect(countTests({ testResults: [file('passed', ['passed'])] }, 1)).toEqual({ passed: 1, failed: 1 });
    expect(countTests(null, 137)).toEqual({ passed: 0, failed: 1 });
  });
});

describe('mendBinding', () => {
  const code = BINDING_MENDS.map(({ at }: { at: string }) => `${at}\n  one value;\n}`).join('\n');

  it('puts the case of a list before that of one value', () => {
    const mended = mendBinding(code);
    expect(mended.match(/IsArray/g)).toHaveLength(2);
    expect(mended.indexOf('TFE_OpSetAttrStringList')).toBeLessThan(mended.indexOf('one value'));
    expect(mended).toContain('TFE_OpSetAttrTypeList');
  });

  it('says so where the code is another one', () => {
    expect(() => mendBinding('')).toThrow('tfjs_backend.cc: "case TF_ATTR_STRING: {" 0 times, not once');
    expect(() => mendBinding(code + code)).toThrow('2 times, not once');
  });
});

describe('the report', () => {
  it('shows a bar with the time left once it can be told', () => {
    expect(progressText({ done: 115e6, total: 230e6, elapsedMs: 10_000 })).toBe(
      '[############............] 115 MB of 230 MB, 10.0 s left',
    );
    expect(progressText({ elapsedMs: 3000 })).toBe('3.0 s');
    expect(duration(200_000)).toBe('3 min 20 s');
    expect(size(1.3e9)).toBe('1.3 GB');
  });

  it('picks the line of a program that tells what went wrong', () => {
    expect(
      tellingLine('ERROR: Could not install\nnoise\n[Errno 28] No space left on device\nnoise'),
    ).toContain('No space left');
    expect(
      tellingLine('npm error code E404\nnpm error 404 not found\nnpm error A complete log of this run'),
    ).toBe('404 not found');
    expect(tellingLine('a.cc:3:1: error: no such thing\n1 error generated')).toBe(
      'a.cc:3:1: error: no such thing',
    );
    expect(tellingLine('')).toBe('it said nothing');
  });
});

describe('the set-up of this package', () => {
  it('supports Node 20.19 to 24', () => {
    expect(['20.18.0', '20.19.0', '22.1.0', '24.21.0', '25.0.0'].map(supportsNode)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('passes paths with spaces to the compiler as they are', () => {
    const options = {
      root: '/a b',
      include: '/a b/i',
      lib: '/a b/l',
      sources: ['/a b/x.cc'],
      out: '/a b/o',
      platform: 'linux',
    };
    const parameters = compilerParameters(options);
    expect(parameters).toContain('/a b/x.cc');
    expect(parameters).toContain('-L/a b/l');
    expect(parameters).toContain('-Wl,-rpath,$ORIGIN/../../deps/lib');
  });

  it('names every step differently', () => {
    expect(new Set(STEPS.map(({ name }) => name)).size).toBe(STEPS.length);
  });
});
