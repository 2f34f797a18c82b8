import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors';
import { type Claim, expectedVersusObtained } from '../../src/reports/expected-versus-obtained';
import { toText } from '../../src/reports/to-text';

const claims: Claim[] = [
  {
    id: 'top1',
    claim: 'Top-1 of ResNet-20',
    paper: '–0.25 %',
    expected: 91.73,
    tolerance: 0.3,
    unit: '%',
    digits: 2,
  },
  { id: 'exact', claim: 'Crossbar equals integer network', expected: true },
  { id: 'gain', claim: 'ADC energy gain', paper: 2.8, expected: 3, compare: 'at least' },
];
const verdicts = (obtained: Record<string, number | boolean | string | undefined | null>) =>
  expectedVersusObtained(claims, obtained).results.map((result) => result.verdict);

describe('a claim', () => {
  test('passes within its tolerance on both sides, ends included', () => {
    expect(verdicts({ top1: 91.43, exact: true, gain: 3 })).toEqual(['PASS', 'PASS', 'PASS']);
    expect(verdicts({ top1: 92.1 })[0]).toBe('FAIL');
  });

  test('with a bound fails on one side only', () => {
    expect(verdicts({ gain: 100 })[2]).toBe('PASS');
    expect(verdicts({ gain: 2.99 })[2]).toBe('FAIL');
  });

  test('without an obtained value is skipped, and NaN or another type fails', () => {
    expect(verdicts({ top1: Number.NaN, exact: 'true' })).toEqual(['FAIL', 'FAIL', 'SKIPPED']);
    expect(verdicts({ top1: null, exact: undefined })).toEqual(['SKIPPED', 'SKIPPED', 'SKIPPED']);
  });
});

test('one failed claim makes exit status 1, skipped ones do not', () => {
  expect(expectedVersusObtained(claims, { exact: true })).toMatchObject({
    passed: true,
    exitStatus: 0,
    summary: '1 PASS, 0 FAIL, 2 SKIPPED',
  });
  expect(expectedVersusObtained(claims, { exact: false })).toMatchObject({ passed: false, exitStatus: 1 });
});

test('the table keeps paper, expected and obtained apart', () => {
  const text = toText(expectedVersusObtained(claims, { top1: 91.7, exact: true }).table);
  expect(text.split('\n')[3]).toMatch(/^Top-1 of ResNet-20 +–0\.25 % +91\.73 % +±0\.3 +91\.70 % +PASS$/);
  expect(text.split('\n')[4]).toMatch(/integer network +– +yes +– +yes +PASS$/);
  expect(text.split('\n')[5]).toMatch(/^ADC energy gain +2\.8 +≥ 3 +– +– +SKIPPED$/);
});

test.each([
  [[claims[0], claims[0]], {}, 'named twice'],
  [claims, { topp1: 3 }, '"topp1" belongs to no claim'],
  [[{ id: 'a', claim: 'a', expected: 1, tolerance: -1 }], {}, 'tolerance is -1'],
  [[{ id: 'a', claim: 'a', expected: true, tolerance: 1 }], {}, 'only a number'],
])('unfit claims are refused with one line (%#)', (list, obtained, message) => {
  expect(() => expectedVersusObtained(list as Claim[], obtained as never)).toThrow(InputError);
  expect(() => expectedVersusObtained(list as Claim[], obtained as never)).toThrow(message);
});
