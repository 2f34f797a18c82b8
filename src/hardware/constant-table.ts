import { InputError } from '../errors';

/** One number of the hardware model and where it comes from. */
export interface Constant {
  readonly name: string;
  readonly value: number;
  /** One of `units`; `1` for a pure number. */
  readonly unit: string;
  /** Technology node in nm, null where it has none. */
  readonly node: number | null;
  readonly source: string;
  /** Read in a publication; computed from such; or chosen by us. */
  readonly status: 'published' | 'derived' | 'assumed';
}

export const units = ['pJ', 'um2', 'mm2', 'mW', 'uW', 'ns', 'GS/s', 'ohm', 'bit', 'dB', 'V', '1'] as const;

const statuses = ['published', 'derived', 'assumed'];

export type ConstantTable = ReadonlyMap<string, Constant>;

/**
 * Checks a table as read from JSON (a list of constants) and indexes it by name. `where` names it in errors. Energies,
 * areas, powers and times must not be negative, rates and resistances must be above 0.
 */
export function constantTable(list: unknown, where = 'constants'): ConstantTable {
  if (!Array.isArray(list)) throw new InputError(`${where}: a list of constants is needed`);
  const table = new Map<string, Constant>();
  list.forEach((entry: Partial<Constant> | null, i) => {
    const name = entry?.name;
    if (typeof name !== 'string' || name === '') throw new InputError(`${where}[${i}].name: missing`);
    const at = `${where}: ${name}`;
    if (table.has(name)) throw new InputError(`${at}: given twice`);
    const { value, unit, node, source, status } = entry as Constant;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new InputError(`${at}.value: ${value ?? 'missing'}; a number is needed`);
    }
    if (!(units as readonly string[]).includes(unit)) {
      throw new InputError(`${at}.unit: "${unit}" is unknown; one of ${units.join(', ')} is needed`);
    }
    if (value < 0 && unit !== 'dB' && unit !== '1') {
      throw new InputError(`${at}.value: ${value} ${unit} is negative`);
    }
    if (value === 0 && (unit === 'GS/s' || unit === 'ohm'))
      throw new InputError(`${at}.value: a ${unit === 'ohm' ? 'resistance' : 'rate'} is above 0`);
    if (node !== null && !(typeof node === 'number' && node > 0)) {
      throw new InputError(`${at}.node: ${node}; nanometres or null is needed`);
    }
    if (typeof source !== 'string' || source === '') throw new InputError(`${at}.source: missing`);
    if (!statuses.includes(status)) {
      throw new InputError(`${at}.status: "${status}"; one of ${statuses.join(', ')} is needed`);
    }
    table.set(name, { name, value, unit, node, source, status });
  });
  return table;
}

/** The value of a constant, which must be there in the unit that the caller computes in. */
export function constantValue(table: ConstantTable, name: string, unit: string): number {
  const constant = table.get(name);
  if (!constant) throw new InputError(`constants: ${name} is missing`);
  if (constant.unit !== unit) {
    throw new InputError(`constants: ${name} is in ${constant.unit} where ${unit} is needed`);
  }
  return constant.value;
}

/** Arrays, rows, columns, bits: what is whole by default, and no slope or share. */
const isCount = ({ unit, value }: Constant) =>
  (unit === '1' || unit === 'bit') && Number.isInteger(value) && value >= 1;

/** The table with some constants replaced: a user's preset, or one constant at a time for a sensitivity. */
export function withConstants(table: ConstantTable, list: unknown, where = 'preset'): ConstantTable {
  const changes = constantTable(list, where);
  for (const [name, { unit, value }] of changes) {
    const old = table.get(name);
    if (!old) throw new InputError(`${where}: ${name} is no constant of the model`);
    if (old.unit !== unit)
      throw new InputError(`${where}: ${name} is in ${unit} where ${old.unit} is needed`);
    if (isCount(old) && !(Number.isInteger(value) && value >= 1))
      throw new InputError(
        `${where}: ${name}.value: ${value}; it counts, so a whole number from 1 is needed`,
      );
  }
  return new Map([...table, ...changes]);
}
