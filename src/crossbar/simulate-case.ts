import type { EncodingName } from '../bitplanes/plane-encoding';
import { planeEncoding } from '../bitplanes/plane-encoding';
import { InputError, inputAt } from '../errors';
import { type Adc, type Rounding, roundings } from './adc';
import { type InputForm, inputForms, inputSlices } from './input-slices';
import { layerJob } from './layer-job';
import { createLayerSimulator, type Engine } from './layer-simulator';
import type { Subtraction } from './readouts';
import { rowTiles } from './row-tiles';

/** What a case asks for, in the form of CrossSim-made cases. Bits and steps as in CrossbarSettings. */
export interface CaseConfig {
  /** `diff`: sign-split, digital subtraction; `analog`: subtraction before one signed ADC; `offset`: W + 2^(wbits-1). */
  readonly scheme: 'diff' | 'analog' | 'offset';
  readonly wbits: number;
  /** Word width of the inputs, sign included. */
  readonly xbits: number;
  readonly cell_bits: number;
  readonly dac_bits: number;
  /** Most rows summed in one conversion. */
  readonly rows: number;
  readonly adc_bits: number | 'lossless';
  readonly step: number;
  /** `MAX`: full tiles, but even ones where they divide K; `EVEN`: even ones. Used where `rowBlocks` is absent. */
  readonly partition?: 'MAX' | 'EVEN';
  readonly x_signed: boolean;
  /** Default `half-even`. */
  readonly rounding?: Rounding;
  /** Default `sign-magnitude` where `x_signed`, else `unsigned`. */
  readonly input_form?: InputForm;
}

export interface CrossbarCase {
  readonly name?: string;
  readonly config: CaseConfig;
  /** First row and end of each tile, in order, covering all rows. */
  readonly rowBlocks?: readonly (readonly [number, number])[];
  /** Weights [K][N]. */
  readonly W: readonly (readonly number[])[];
  /** Inputs [M][K]. */
  readonly X: readonly (readonly number[])[];
  /** Known answers [M][N], if any. */
  readonly y?: readonly (readonly number[])[];
}

export interface CaseResult {
  /** Outputs [M][N]. */
  readonly y: number[][];
  readonly saturated: number;
  readonly conversions: number;
  /** Whether `y` equals the case's own; absent where the case has none. */
  readonly matches?: boolean;
}

/** Runs a case. `input` is what JSON.parse gave: everything in it is checked; an InputError names the field. */
export function simulateCase(input: unknown, engine?: Engine): CaseResult {
  const { config, rowBlocks, W, X, y: known } = checkCase(input);
  const rows = W.length;
  const columns = W[0].length;
  const job = layerJob(
    {
      codes: Int8Array.from(W.flat()),
      rows,
      columns,
      inputs: config.x_signed ? Int8Array.from(X.flat()) : Uint8Array.from(X.flat()),
      vectors: X.length,
      weightBits: config.wbits,
      cellBits: config.cell_bits,
      inputBits: config.xbits,
      dacBits: config.dac_bits,
      inputForm: inputFormOf(config),
      adc: adcOf(config),
      ...schemes[config.scheme],
    },
    rowBlocks ? Int32Array.from([0, ...rowBlocks.map(([, end]) => end)]) : caseTiles(rows, config),
  );
  const simulator = createLayerSimulator(job, engine);
  const { outputs, saturated, conversions } = simulator.run(job.inputs, job.vectors);
  const y = X.map((_, vector) =>
    Array.from<number>(outputs.subarray(vector * columns, (vector + 1) * columns)),
  );
  if (!known) return { y, saturated, conversions };
  const matches = y.every((line, m) => line.every((value, n) => value === known[m][n]));
  return { y, saturated, conversions, matches };
}

/** The verb `simulate CASE.json`: the text of a case file to its outputs. `file` names it in errors. */
export function simulateCommand(text: string, file = 'case'): CaseResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file}: no JSON (${(error as Error).message})`);
  }
  return inputAt(file, () => simulateCase(parsed));
}

const schemes: Readonly<Record<CaseConfig['scheme'], { encoding: EncodingName; subtraction?: Subtraction }>> =
  {
    diff: { encoding: 'sign-split' },
    analog: { encoding: 'sign-split', subtraction: 'analog' },
    offset: { encoding: 'offset' },
  };

function inputFormOf({ x_signed, input_form }: CaseConfig): InputForm {
  return input_form ?? (x_signed ? 'sign-magnitude' : 'unsigned');
}

function adcOf({ adc_bits, step, rounding }: CaseConfig): Adc {
  return adc_bits === 'lossless' ? 'lossless' : { bits: adc_bits, step, rounding };
}

function caseTiles(rows: number, { rows: tileRows, partition }: CaseConfig): Int32Array {
  const tiles = Math.ceil(rows / tileRows);
  return rowTiles(rows, tileRows, partition === 'EVEN' || rows % tiles === 0 ? 'even' : 'fixed');
}

function checkCase(input: unknown): CrossbarCase {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InputError('case: an object with config, W and X is needed');
  }
  const given = input as CrossbarCase;
  checkConfig(given.config);
  const { config, rowBlocks, W, X, y } = given;
  const { minCode, maxCode } = planeEncoding(schemes[config.scheme].encoding, config.wbits, config.cell_bits);
  checkMatrix('W', W, undefined, undefined, minCode, maxCode, `${config.wbits}-bit ${config.scheme} weights`);
  const slices = inputSlices(config.xbits, config.dac_bits, inputFormOf(config));
  checkMatrix(
    'X',
    X,
    undefined,
    W.length,
    slices.minCode,
    slices.maxCode,
    `${config.xbits}-bit ${slices.form} inputs`,
  );
  if (config.adc_bits === 1 && (config.scheme === 'analog' || slices.form === 'sign-magnitude')) {
    throw new InputError('config.adc_bits: 1; signed sums need an ADC of at least 2 bits');
  }
  if (rowBlocks !== undefined) checkRowBlocks(rowBlocks, W.length, config.rows);
  if (y !== undefined) checkMatrix('y', y, X.length, W[0].length, -Infinity, Infinity, 'outputs');
  return given;
}

const wholeFields = [
  ['wbits', 2, 8],
  ['xbits', 1, 8],
  ['cell_bits', 1, 4],
  ['dac_bits', 1, 8],
  ['rows', 1, 2 ** 24],
  ['adc_bits', 1, 16],
] as const;

function checkConfig(config: CaseConfig | undefined): void {
  if (typeof config !== 'object' || config === null) {
    throw new InputError('config: missing; an object with scheme, wbits, xbits, ... is needed');
  }
  if (!Object.hasOwn(schemes, config.scheme)) {
    throw new InputError(
      `config.scheme: ${shown(config.scheme)}; one of ${Object.keys(schemes).join(', ')} is needed`,
    );
  }
  for (const [field, low, high] of wholeFields) {
    const value = config[field];
    if (field === 'adc_bits' && value === 'lossless') continue;
    if (!Number.isInteger(value) || (value as number) < low || (value as number) > high) {
      const allowed = `a whole number from ${low} to ${high}`;
      throw new InputError(
        `config.${field}: ${shown(value)}; ${allowed}${field === 'adc_bits' ? ' or "lossless"' : ''} is needed`,
      );
    }
  }
  if (typeof config.step !== 'number' || !(config.step > 0 && config.step < Infinity)) {
    throw new InputError(`config.step: ${shown(config.step)}; a number above 0 is needed`);
  }
  if (typeof config.x_signed !== 'boolean') {
    throw new InputError(`config.x_signed: ${shown(config.x_signed)}; true or false is needed`);
  }
  checkChoice('partition', config.partition, ['MAX', 'EVEN']);
  checkChoice('rounding', config.rounding, roundings);
  checkChoice('input_form', config.input_form, inputForms);
  if (config.input_form !== undefined && config.x_signed !== (config.input_form !== 'unsigned')) {
    throw new InputError(`config.input_form: "${config.input_form}" contradicts x_signed ${config.x_signed}`);
  }
}

function checkChoice(field: string, value: string | undefined, choices: readonly string[]): void {
  if (value !== undefined && !choices.includes(value)) {
    throw new InputError(`config.${field}: ${shown(value)}; one of ${choices.join(', ')} is needed`);
  }
}

function checkMatrix(
  field: string,
  matrix: readonly (readonly number[])[] | undefined,
  lines: number | undefined,
  width: number | undefined,
  low: number,
  high: number,
  what: string,
): void {
  if (!Array.isArray(matrix) || matrix.length === 0 || !Array.isArray(matrix[0]) || matrix[0].length === 0) {
    throw new InputError(`${field}: ${shown(matrix)}; an array of rows of integers is needed`);
  }
  if (lines !== undefined && matrix.length !== lines) {
    throw new InputError(`${field}: ${matrix.length} rows where ${lines} are needed`);
  }
  const length = width ?? matrix[0].length;
  for (let i = 0; i < matrix.length; i++) {
    const line = matrix[i];
    if (!Array.isArray(line) || line.length !== length) {
      throw new InputError(`${field}[${i}]: ${line?.length ?? 'no'} values where ${length} are needed`);
    }
    for (let j = 0; j < length; j++) {
      const value = line[j];
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        throw new InputError(`${field}[${i}][${j}]: ${shown(value)} is not a number`);
      }
      if (field !== 'y' && (!Number.isInteger(value) || value < low || value > high)) {
        throw new InputError(`${field}[${i}][${j}]: ${value} is outside ${low}..${high} of ${what}`);
      }
    }
  }
}

function checkRowBlocks(blocks: CrossbarCase['rowBlocks'], rows: number, most: number): void {
  if (!Array.isArray(blocks) || blocks.length === 0) {
    throw new InputError(`rowBlocks: ${shown(blocks)}; pairs [first row, end] are needed`);
  }
  let end = 0;
  blocks.forEach((block, i) => {
    if (!Array.isArray(block) || block.length !== 2 || !block.every(Number.isInteger)) {
      throw new InputError(`rowBlocks[${i}]: ${shown(block)}; a pair [first row, end] is needed`);
    }
    if (block[0] !== end || block[1] <= block[0]) {
      throw new InputError(`rowBlocks[${i}]: ${shown(block)} does not follow row ${end}`);
    }
    if (block[1] - block[0] > most) {
      throw new InputError(
        `rowBlocks[${i}]: ${block[1] - block[0]} rows, more than the ${most} of config.rows`,
      );
    }
    end = block[1];
  });
  if (end !== rows) throw new InputError(`rowBlocks: they end at row ${end} where W has ${rows} rows`);
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : `${JSON.stringify(value)?.slice(0, 60)}`;
}
