import { InputError } from '../errors';
import { formatNumber } from './format-cell';
import type { Table } from './table';

/** One statement about the results, with the value that was expected before the run. */
export interface Claim {
  /** Name of the obtained value. */
  readonly id: string;
  /** The statement, a short sentence. */
  readonly claim: string;
  /** What the paper says, kept apart from what we expect; empty where it says nothing. */
  readonly paper?: string | number;
  /** Our own value, committed before the run. */
  readonly expected: number | boolean | string;
  /** Allowed distance from `expected`, in its unit (numbers only). Default 0. */
  readonly tolerance?: number;
  /** `equal` (default): within the tolerance on both sides; else only one side can fail. */
  readonly compare?: 'equal' | 'at least' | 'at most';
  readonly unit?: string;
  /** Decimals shown. */
  readonly digits?: number;
}

export type Verdict = 'PASS' | 'FAIL' | 'SKIPPED';

export interface ClaimResult {
  readonly id: string;
  readonly claim: string;
  readonly obtained: number | boolean | string | undefined;
  readonly verdict: Verdict;
}

export interface ExpectedVersusObtained {
  readonly results: readonly ClaimResult[];
  /** Columns claim, paper, expected, tolerance, obtained, verdict. */
  readonly table: Table;
  /** No claim failed. */
  readonly passed: boolean;
  /** For `process.exitCode`: 1 where a claim failed. */
  readonly exitStatus: 0 | 1;
  /** `5 PASS, 0 FAIL, 1 SKIPPED`. */
  readonly summary: string;
}

/** Obtained values by claim; absent, undefined or null means that the run did not get to it. */
export type Obtained = Readonly<Record<string, number | boolean | string | undefined | null>>;

/**
 * Compares what came out with what was expected. A claim without an obtained value is SKIPPED; NaN fails.
 * @throws InputError where a claim is named twice, an obtained value belongs to no claim, or a tolerance is unfit.
 */
export function expectedVersusObtained(claims: readonly Claim[], obtained: Obtained): ExpectedVersusObtained {
  requireClaims(claims, obtained);
  const results = claims.map((claim): ClaimResult => {
    const value = obtained[claim.id] ?? undefined;
    return { id: claim.id, claim: claim.claim, obtained: value, verdict: judge(claim, value) };
  });
  const count = (verdict: Verdict) => results.filter((result) => result.verdict === verdict).length;
  const passed = count('FAIL') === 0;
  return {
    results,
    table: comparisonTable(claims, results),
    passed,
    exitStatus: passed ? 0 : 1,
    summary: `${count('PASS')} PASS, ${count('FAIL')} FAIL, ${count('SKIPPED')} SKIPPED`,
  };
}

function judge(claim: Claim, value: number | boolean | string | undefined): Verdict {
  if (value === undefined) return 'SKIPPED';
  const { expected, tolerance = 0, compare = 'equal' } = claim;
  if (typeof expected !== 'number' || typeof value !== 'number') return value === expected ? 'PASS' : 'FAIL';
  const above = value >= expected - tolerance;
  const below = value <= expected + tolerance;
  const holds = compare === 'at least' ? above : compare === 'at most' ? below : above && below;
  return holds ? 'PASS' : 'FAIL';
}

function requireClaims(claims: readonly Claim[], obtained: Obtained): void {
  const ids = new Set<string>();
  for (const { id, expected, tolerance, compare } of claims) {
    if (ids.has(id)) throw new InputError(`claim "${id}" is named twice`);
    ids.add(id);
    if (tolerance !== undefined && !(tolerance >= 0 && Number.isFinite(tolerance)))
      throw new InputError(`claim "${id}": tolerance is ${tolerance}, it must be 0 or more`);
    if (typeof expected !== 'number' && (tolerance !== undefined || (compare ?? 'equal') !== 'equal'))
      throw new InputError(`claim "${id}": only a number can have a tolerance or be a bound`);
  }
  for (const id of Object.keys(obtained))
    if (!ids.has(id)) throw new InputError(`obtained value "${id}" belongs to no claim`);
}

const SIGNS = { equal: '', 'at least': '≥ ', 'at most': '≤ ' } as const;

function comparisonTable(claims: readonly Claim[], results: readonly ClaimResult[]): Table {
  const show = (claim: Claim, value: number | boolean | string | undefined) =>
    typeof value === 'number'
      ? `${formatNumber(value, claim.digits)}${claim.unit ? ` ${claim.unit}` : ''}`
      : typeof value === 'boolean'
        ? value
          ? 'yes'
          : 'no'
        : value;
  return {
    title: 'Expected versus obtained',
    columns: [
      { key: 'claim', label: 'Claim' },
      { key: 'paper', label: 'Paper', align: 'right' },
      { key: 'expected', label: 'Expected', align: 'right' },
      { key: 'tolerance', label: 'Tolerance', align: 'right' },
      { key: 'obtained', label: 'Obtained', align: 'right' },
      { key: 'verdict', label: 'Verdict' },
    ],
    rows: claims.map((claim, i) => ({
      claim: claim.claim,
      paper: show(claim, claim.paper),
      expected: `${SIGNS[claim.compare ?? 'equal']}${show(claim, claim.expected)}`,
      tolerance: claim.tolerance === undefined ? undefined : `±${formatNumber(claim.tolerance)}`,
      obtained: show(claim, results[i].obtained),
      verdict: results[i].verdict,
    })),
  };
}
