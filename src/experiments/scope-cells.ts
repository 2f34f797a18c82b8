import { type Scope, scopes } from '../hardware/design-cost';
import type { Column, Row } from '../reports/table';

/** A table's columns of one quantity, one for each scope. */
export const byScope = (key: string, label: string, unit: string, digits?: number): Column[] =>
  scopes.map((scope) => ({ key: `${scope}${key}`, label: `${label} ${scope}`, unit, digits }));

/** What stands in them. */
export const scopeCells = (key: string, value: (scope: Scope) => number | undefined): Row =>
  Object.fromEntries(scopes.map((scope) => [`${scope}${key}`, value(scope)]));
