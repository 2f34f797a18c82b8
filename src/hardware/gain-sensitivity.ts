import { InputError } from '../errors';
import type { AdcModelName } from './adc-model';
import type { ConstantTable } from './constant-table';
import { costModel, mapScopes, type Scope, scopes } from './design-cost';
import type { HardwareConstants } from './hardware-preset';
import { type Baseline, costDesigns, type HardwareReport } from './hardware-report';
import type { MappedDesign } from './map-designs';

export interface SensitivityOptions {
  readonly adcModel?: AdcModelName;
  readonly constants: HardwareConstants;
  /** Name of the baseline whose energy gains are told. */
  readonly baseline: string;
  /** Change of each constant, as a part of it. Default 0.5. */
  readonly change?: number;
  readonly arrayBudget?: number;
}

/** Energy gains over a baseline when one constant is smaller or larger. */
export interface Sensitivity {
  readonly constant: string;
  readonly value: number;
  readonly unit: string;
  readonly status: string;
  readonly lower: Readonly<Record<Scope, number>>;
  readonly higher: Readonly<Record<Scope, number>>;
  /** Largest relative change of a gain. */
  readonly swing: number;
}

/**
 * One constant at a time, less and more by `change`: what moves a gain at any scope, most moving first. Pure numbers and
 * widths in bits are left alone.
 */
export function gainSensitivity(
  designs: readonly MappedDesign[],
  options: SensitivityOptions,
): Sensitivity[] {
  const { constants, change = 0.5 } = options;
  const base = energyGains(designs, constants, options);
  const rows: Sensitivity[] = [];
  for (const which of ['adc', 'tile'] as const) {
    for (const { name, value, unit, status } of constants[which].values()) {
      if (value === 0 || unit === '1' || unit === 'bit') continue;
      const at = (factor: number) =>
        energyGains(designs, { ...constants, [which]: changed(constants[which], name, factor) }, options);
      const [lower, higher] = [at(1 - change), at(1 + change)];
      const swing = Math.max(
        ...scopes.flatMap((scope) => [lower, higher].map((gain) => Math.abs(gain[scope] / base[scope] - 1))),
      );
      if (swing > 1e-9) rows.push({ constant: name, value, unit, status, lower, higher, swing });
    }
  }
  return rows.sort((a, b) => b.swing - a.swing);
}

function changed(table: ConstantTable, name: string, factor: number): ConstantTable {
  const constant = table.get(name)!;
  return new Map([...table, [name, { ...constant, value: constant.value * factor }]]);
}

function energyGains(
  designs: readonly MappedDesign[],
  constants: HardwareConstants,
  { adcModel, baseline, arrayBudget }: SensitivityOptions,
): Record<Scope, number> {
  const { gains } = baselineOf(
    costDesigns(designs, costModel(adcModel, constants), { arrayBudget }),
    baseline,
  );
  return mapScopes((scope) => gains[scope].energy);
}

/** A baseline of a report by its name. @throws InputError naming those there are */
export function baselineOf({ baselines }: HardwareReport, name: string): Baseline {
  const found = baselines.find(({ cost }) => cost.name === name);
  if (found) return found;
  throw new InputError(`baseline "${name}": there are ${baselines.map(({ cost }) => cost.name).join('; ')}`);
}
