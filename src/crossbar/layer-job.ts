import { checkCodes } from '../bitplanes/code-matrix';
import { type EncodingName, type PlaneEncoding, planeEncoding } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import { type Adc, adcCodes, checkAdc } from './adc';
import { type InputForm, type InputSlices, inputSlices } from './input-slices';
import { type Readout, readouts, type Subtraction } from './readouts';
import { type RowSplit, rowTiles } from './row-tiles';

/** How layers are laid on crossbars and read. Every field has a default. */
export interface CrossbarSettings {
  /** Rows summed in one conversion (R). Default 128. */
  readonly tileRows?: number;
  /** Default `fixed`. */
  readonly rowSplit?: RowSplit;
  /** Bits of a weight code, 2..8. Default 8. */
  readonly weightBits?: number;
  /** Bits of a cell, 1..4. Default 1. */
  readonly cellBits?: number;
  /** Default `sign-split`. */
  readonly encoding?: EncodingName;
  /** Where polarities are subtracted. Default `digital`. */
  readonly subtraction?: Subtraction;
  /** Bits of an input code, 1..8. Default 8. */
  readonly inputBits?: number;
  /** Default `unsigned` for a Uint8Array, `twos-complement` for an Int8Array. */
  readonly inputForm?: InputForm;
  /** Bits of an input pulse, 1..8. Default 1. */
  readonly dacBits?: number;
  /** Default `lossless`. `signed` follows from the sums: they are signed with analog subtraction or sign-magnitude inputs. */
  readonly adc?: Adc;
}

/** One layer's integers, and how they meet the crossbar. */
export interface LayerInput extends CrossbarSettings {
  /** Weight codes [rows, columns], row-major. */
  readonly codes: Int8Array;
  readonly rows: number;
  /** Output channels. */
  readonly columns: number;
  /** Input codes [vectors, rows], row-major. */
  readonly inputs: Uint8Array | Int8Array;
  readonly vectors: number;
  /**
   * Offset encoding only: 1 where a (row tile, output channel) is stored complemented, [tiles][columns]. The digital side
   * undoes it: with the word w stored as 2^weightBits - 1 - w, code c is minus the stored code, less 1.
   */
  readonly flips?: Uint8Array;
}

/** A layer with its settings resolved and checked: what the engines take. */
export interface LayerJob {
  /** As stored: complemented (-1 - code) where `flips` says so. */
  readonly codes: Int8Array;
  /** 1 where converted sums count negatively, [tiles][columns]; undefined: nowhere. */
  readonly flips: Uint8Array | undefined;
  readonly rows: number;
  readonly columns: number;
  readonly inputs: Uint8Array | Int8Array;
  readonly vectors: number;
  /** First row of each tile and the end. [tiles + 1] */
  readonly tiles: Int32Array;
  readonly encoding: PlaneEncoding;
  readonly readouts: readonly Readout[];
  readonly slices: InputSlices;
  readonly adc: Adc;
  /** Whether a column sum can be negative. */
  readonly signedSums: boolean;
}

/** What an engine makes of a layer. */
export interface LayerResult<Outputs> {
  /** [vectors, columns], row-major. */
  readonly outputs: Outputs;
  /** Conversions whose sum lay outside the ADC's range. */
  readonly saturated: number;
  /** Conversions made; bit columns without any charge in their cells are skipped. */
  readonly conversions: number;
}

/** Resolves defaults and checks everything once. Throws an InputError that names the field. */
export function layerJob(input: LayerInput, tiles?: Int32Array): LayerJob {
  const { codes, rows, columns, inputs, vectors } = input;
  const starts = tiles ?? rowTiles(rows, input.tileRows ?? 128, input.rowSplit);
  for (const [field, value] of [
    ['columns', columns],
    ['vectors', vectors],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InputError(`${field}: ${value} is not a whole number of at least 1`);
    }
  }
  if (!(codes instanceof Int8Array) || codes.length !== rows * columns) {
    throw new InputError(
      `codes: an Int8Array of ${rows} rows x ${columns} columns is needed, not ${codes?.length} values`,
    );
  }
  if (!(inputs instanceof Uint8Array || inputs instanceof Int8Array) || inputs.length !== rows * vectors) {
    throw new InputError(
      `inputs: a Uint8Array or Int8Array of ${vectors} vectors x ${rows} rows is needed, not ${(inputs as Uint8Array)?.length} values`,
    );
  }
  const encoding = planeEncoding(input.encoding ?? 'sign-split', input.weightBits ?? 8, input.cellBits ?? 1);
  checkCodes(codes, columns, encoding);
  checkFlips(input.flips, encoding, (starts.length - 1) * columns);
  const form = input.inputForm ?? (inputs instanceof Int8Array ? 'twos-complement' : 'unsigned');
  const slices = inputSlices(input.inputBits ?? 8, input.dacBits ?? 1, form);
  checkInputs(inputs, rows, slices);
  const signedSums = input.subtraction === 'analog' || form === 'sign-magnitude';
  const adc: Adc =
    typeof input.adc === 'object' ? { ...input.adc, signed: signedSums } : (input.adc ?? 'lossless');
  checkAdc(adc);
  return {
    codes: storedCodes(input, starts),
    flips: input.flips,
    rows,
    columns,
    inputs,
    vectors,
    tiles: starts,
    encoding,
    readouts: readouts(encoding, input.subtraction),
    slices,
    adc,
    signedSums,
  };
}

function checkFlips(flips: Uint8Array | undefined, encoding: PlaneEncoding, length: number): void {
  if (!flips) return;
  if (encoding.name !== 'offset') {
    throw new InputError(`flips: they are for offset encoding only, not ${encoding.name}`);
  }
  if (flips.length !== length) {
    throw new InputError(`flips: ${flips.length} where ${length} are needed, one a row tile and column`);
  }
}

function storedCodes({ codes, columns, flips }: LayerInput, tiles: Int32Array): Int8Array {
  if (!flips) return codes;
  const stored = codes.slice();
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    for (let at = tiles[tile] * columns; at < tiles[tile + 1] * columns; at++) {
      if (flips[tile * columns + (at % columns)]) stored[at] = -1 - codes[at];
    }
  }
  return stored;
}

function checkInputs(inputs: Uint8Array | Int8Array, rows: number, slices: InputSlices): void {
  const { minCode, maxCode, form, bits } = slices;
  for (let i = 0; i < inputs.length; i++) {
    if (inputs[i] < minCode || inputs[i] > maxCode) {
      throw new InputError(
        `input ${inputs[i]} at vector ${Math.floor(i / rows)}, row ${i % rows} is outside ${minCode}..${maxCode} of ${bits}-bit ${form} codes`,
      );
    }
  }
}

/** Largest size of an output that the settings allow: what an accumulator must hold. */
export function outputBound(job: LayerJob): number {
  const { tiles, encoding, slices, adc, codes } = job;
  let pulses = 0;
  for (const weight of slices.weights) pulses += Math.abs(weight);
  let bound = 0;
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    const most = (tiles[tile + 1] - tiles[tile]) * slices.maxPulse * (2 ** encoding.cellBits - 1);
    // Rounding may take a sum up to the next step but never past the highest code.
    const converted =
      adc === 'lossless' ? most : Math.min(most + (adc.step ?? 1), adcCodes(adc).highest * (adc.step ?? 1));
    for (const { weight } of job.readouts) bound += Math.abs(weight) * pulses * converted;
  }
  const inputs = Math.max(slices.maxCode, -slices.minCode);
  return bound + Math.abs(encoding.offset) * inputs * (codes.length / job.columns);
}
