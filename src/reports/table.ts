import { InputError } from '../errors';

/** What a table's cell may hold. `null` and `undefined` are empty cells. */
export type Cell = string | number | boolean | null | undefined;

/** One column of a table. */
export interface Column {
  /** Name of the value in each row. */
  readonly key: string;
  /** Heading that people read. */
  readonly label: string;
  /** Unit of the numbers, shown behind the heading, such as `pJ` or `%`. */
  readonly unit?: string;
  /** Decimals shown (0 to 20). Default: integers whole, other numbers with four significant digits. CSV keeps every digit. */
  readonly digits?: number;
  /** Default: right for columns that hold numbers, left for the others. */
  readonly align?: 'left' | 'right' | 'center';
}

/** A row: plain values by column key; keys without a column are not shown. */
export type Row = Readonly<Record<string, Cell>>;

/** Plain data from which every form of a table is written. */
export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Returns `table` after checking it. @throws InputError naming the column or cell that is wrong. */
export function requireTable(table: Table): Table {
  const seen = new Set<string>();
  for (const { key, digits } of table.columns) {
    if (seen.has(key)) throw new InputError(`table "${table.title}": two columns have the key "${key}"`);
    seen.add(key);
    if (digits !== undefined && !(Number.isInteger(digits) && digits >= 0 && digits <= 20))
      throw new InputError(
        `table "${table.title}", column "${key}": digits is ${digits}, allowed are 0 to 20`,
      );
  }
  for (const [i, row] of table.rows.entries())
    for (const key of seen)
      if (!isCell(row[key]))
        throw new InputError(
          `table "${table.title}", row ${i}, column "${key}": a cell is text, a number, true or false, or empty`,
        );
  return table;
}

function isCell(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value);
}
