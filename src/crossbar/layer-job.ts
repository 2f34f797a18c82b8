import { checkCodes, checkFlips } from '../bitplanes/code-matrix';
import { type EncodingName, type PlaneEncoding, planeEncoding } from '../bitplanes/plane-encoding';
import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import { adcCodes } from './adc';
import { type AdcSteps, checkSteps, distinctSteps } from './adc-steps';
import { isNumber } from './check-fields';
import { type InputForm, type InputSlices, inputSlices } from './input-slices';
import { checkLayerAdc, type LayerAdc, largestAdc } from './layer-adcs';
import { type Readout, readouts, type Subtraction } from './readouts';
import { type RowSplit, rowTiles } from './row-tiles';
import type { SumHistogram } from './sum-histogram';

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
  /** Default `unsigned`; where inputs are given, that for a Uint8Array and `twos-complement` for an Int8Array. */
  readonly inputForm?: InputForm;
  /** Bits of an input pulse, 1..8. Default 1. */
  readonly dacBits?: number;
  /** Default `lossless`. `signed` follows from the sums: they are signed with analog subtraction or sign-magnitude inputs. */
  readonly adc?: LayerAdc;
  /** Steps in place of the ADC's one: for the layer, each array or each converted column. Not with a lossless ADC. */
  readonly steps?: AdcSteps;
}

/** A layer's weights on its crossbars. */
export interface CrossbarLayer extends CrossbarSettings {
  /** Weight codes [rows, columns], row-major. */
  readonly codes: Int8Array;
  readonly rows: number;
  /** Output channels. */
  readonly columns: number;
  /**
   * Offset encoding only: 1 where a (row tile, output channel) is stored complemented, [tiles][columns]. The digital side
   * undoes it: with the word w stored as 2^weightBits - 1 - w, code c is minus the stored code, less 1.
   */
  readonly flips?: Uint8Array;
  /**
   * Which element of the input vector drives each row, by group of output channels, [groups][rows]: stored row orders and
   * grouped convolutions. Default: one group, row i driven by element i.
   */
  readonly wiring?: readonly Int32Array[];
  /** Length of an input vector. Default `rows`. */
  readonly inputRows?: number;
}

/** One layer's integers, and how they meet the crossbar. */
export interface LayerInput extends CrossbarLayer {
  /** Input codes [vectors, inputRows], row-major. */
  readonly inputs: Uint8Array | Int8Array;
  readonly vectors: number;
}

/** A layer on its crossbars, settings resolved and checked. */
export interface MappedLayer {
  /** As stored: complemented (-1 - code) where `flips` says so. */
  readonly codes: Int8Array;
  /**
   * What the cells hold where that is not what the codes ask for (stuck cells), [rows][columns][polarities * planes];
   * undefined: the codes' digits. The controller skips bit columns by the codes.
   */
  readonly cells?: Uint8Array;
  /** 1 where converted sums count negatively, [tiles][columns]; undefined: nowhere. */
  readonly flips: Uint8Array | undefined;
  readonly rows: number;
  readonly columns: number;
  /** Which element of an input vector drives each row, by group of columns / groups output channels. [groups][rows] */
  readonly wiring: readonly Int32Array[];
  /** Length of an input vector. */
  readonly inputRows: number;
  /** First row of each tile and the end. [tiles + 1] */
  readonly tiles: Int32Array;
  readonly encoding: PlaneEncoding;
  readonly readouts: readonly Readout[];
  readonly slices: InputSlices;
  readonly adc: LayerAdc;
  /** In place of the ADC's own step. */
  readonly steps?: AdcSteps;
  /** Whether a column sum can be negative. */
  readonly signedSums: boolean;
}

/** A mapped layer with what goes into it: what the engines take. */
export interface LayerJob extends MappedLayer {
  /** [vectors, inputRows] */
  readonly inputs: Uint8Array | Int8Array;
  readonly vectors: number;
}

/** What an engine makes of a layer. */
export interface LayerResult<Outputs extends ArrayLike<number> = Int32Array | Float64Array> {
  /** [vectors, columns], row-major: weight code times input code, whole numbers unless the ADC's step is not whole. */
  readonly outputs: Outputs;
  /** Conversions whose sum lay outside the ADC's range. */
  readonly saturated: number;
  /** Conversions made; bit columns without any charge in their cells are skipped. */
  readonly conversions: number;
  /** How often each column sum was seen before its conversion, where asked for. */
  readonly sums?: SumHistogram;
}

/** Largest column sum that the mapping allows in each row tile: rows * largest pulse * largest cell. [tiles] */
export function fullScales({ tiles, slices, encoding }: MappedLayer): number[] {
  const each = slices.maxPulse * (2 ** encoding.cellBits - 1);
  return Array.from(tiles.subarray(1), (end, tile) => (end - tiles[tile]) * each);
}

/** Lowest and highest column sum that the mapping allows. */
export function sumRange(layer: MappedLayer): [lowest: number, highest: number] {
  const most = Math.max(...fullScales(layer));
  return [layer.signedSums ? -most : 0, most];
}

/** Resolves defaults and checks everything once. Throws an InputError that names the field. */
export function mapLayer(layer: CrossbarLayer, tiles?: Int32Array): MappedLayer {
  const { codes, rows, columns } = layer;
  const starts = tiles ?? rowTiles(rows, layer.tileRows ?? 128, layer.rowSplit);
  checkWhole('columns', columns, 1);
  if (!(codes instanceof Int8Array) || codes.length !== rows * columns) {
    throw new InputError(
      `codes: an Int8Array of ${rows} rows x ${columns} columns is needed, not ${codes?.length} values`,
    );
  }
  const encoding = planeEncoding(layer.encoding ?? 'sign-split', layer.weightBits ?? 8, layer.cellBits ?? 1);
  checkCodes(codes, columns, encoding);
  checkFlips(layer.flips, encoding.name, starts.length - 1, columns);
  const slices = inputSlices(layer.inputBits ?? 8, layer.dacBits ?? 1, layer.inputForm);
  const mapped: MappedLayer = {
    codes: storedCodes(layer, starts),
    flips: layer.flips,
    rows,
    columns,
    ...checkWiring(layer),
    tiles: starts,
    encoding,
    readouts: readouts(encoding, layer.subtraction),
    slices,
    adc: 'lossless',
    steps: layer.steps,
    signedSums: layer.subtraction === 'analog' || slices.form === 'sign-magnitude',
  };
  return withAdc(mapped, layer.adc ?? 'lossless');
}

/** The same layer read by other ADCs, signed ones where sums can be negative. */
export function withAdc(layer: MappedLayer, adc: LayerAdc): MappedLayer {
  const own = typeof adc === 'object' ? { ...adc, signed: layer.signedSums } : adc;
  const read = { ...layer, adc: own };
  checkLayerAdc(read);
  checkSteps(read);
  return read;
}

/** Maps a layer whose inputs may tell their form. */
export function mapInput(input: LayerInput, tiles?: Int32Array): MappedLayer {
  const inputForm = input.inputForm ?? (input.inputs instanceof Int8Array ? 'twos-complement' : 'unsigned');
  return mapLayer({ ...input, inputForm }, tiles);
}

/** Maps a layer and checks its inputs. */
export function layerJob(input: LayerInput, tiles?: Int32Array): LayerJob {
  const { inputs, vectors } = input;
  const layer = mapInput(input, tiles);
  checkInputs(inputs, vectors, layer);
  return { ...layer, inputs, vectors };
}

function checkWiring({
  rows,
  columns,
  wiring = [Int32Array.from({ length: rows }, (_, row) => row)],
  inputRows = rows,
}: CrossbarLayer) {
  checkWhole('inputRows', inputRows, 1);
  if (wiring.length === 0 || columns % wiring.length !== 0)
    throw new InputError(`wiring: ${wiring.length} groups do not share ${columns} columns evenly`);
  wiring.forEach((elements, group) => {
    if (
      elements.length !== rows ||
      !elements.every((element) => isNumber(element, 0, inputRows - 1) && Number.isInteger(element))
    )
      throw new InputError(
        `wiring[${group}]: ${rows} elements of 0..${inputRows - 1} are needed, one a row, not ${elements.length}`,
      );
  });
  return { wiring, inputRows };
}

function storedCodes({ codes, columns, flips }: CrossbarLayer, tiles: Int32Array): Int8Array {
  if (!flips) return codes;
  const stored = codes.slice();
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    for (let at = tiles[tile] * columns; at < tiles[tile + 1] * columns; at++) {
      if (flips[tile * columns + (at % columns)]) stored[at] = -1 - codes[at];
    }
  }
  return stored;
}

/** Throws an InputError unless `inputs` are codes [vectors, inputRows] that the DACs can apply. */
export function checkInputs(
  inputs: Uint8Array | Int8Array,
  vectors: number,
  { inputRows: rows, slices }: MappedLayer,
): void {
  const { minCode, maxCode, form, bits } = slices;
  checkWhole('vectors', vectors, 1);
  if (!(inputs instanceof Uint8Array || inputs instanceof Int8Array) || inputs.length !== rows * vectors) {
    throw new InputError(
      `inputs: a Uint8Array or Int8Array of ${vectors} vectors x ${rows} rows is needed, not ${(inputs as Uint8Array)?.length} values`,
    );
  }
  if (form === 'unsigned' && bits === 8 && inputs instanceof Uint8Array) return;
  for (let i = 0; i < inputs.length; i++) {
    if (inputs[i] < minCode || inputs[i] > maxCode) {
      throw new InputError(
        `input ${inputs[i]} at vector ${Math.floor(i / rows)}, row ${i % rows} is outside ${minCode}..${maxCode} of ${bits}-bit ${form} codes`,
      );
    }
  }
}

/** The largest size of an output that the settings allow. @throws InputError beyond 32-bit integers, in which outputs are added */
export function checkedBound(layer: MappedLayer): number {
  const bound = outputBound(layer);
  if (bound < 2 ** 31) return bound;
  throw new InputError(`rows: outputs of ${layer.rows} rows may reach ${bound}, beyond 32-bit integers`);
}

/** Largest size of an output that the settings allow: what an accumulator must hold. */
export function outputBound(layer: MappedLayer): number {
  const { encoding, slices, adc, codes } = layer;
  const step = Math.max(...distinctSteps(layer));
  let pulses = 0;
  for (const weight of slices.weights) pulses += Math.abs(weight);
  let bound = 0;
  for (const most of fullScales(layer)) {
    // Rounding may take a sum up to the next step but never past the highest code.
    const converted =
      adc === 'lossless' ? most : Math.min(most + step, adcCodes(largestAdc(adc)).highest * step);
    for (const { weight } of layer.readouts) bound += Math.abs(weight) * pulses * converted;
  }
  const inputs = Math.max(slices.maxCode, -slices.minCode);
  return bound + Math.abs(encoding.offset) * inputs * (codes.length / layer.columns);
}
