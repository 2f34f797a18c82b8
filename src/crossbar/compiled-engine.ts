import { InputError } from '../errors';
import type { CompiledModule } from '../tensor/compiled-module';
import { jobBuffer, runParts, threadCount } from '../tensor/parallel';
import { type Adc, type AdcSettings, adcCode, adcCodes, adcStep, clips } from './adc';
import { columnLoads } from './column-loads';
import { LANES } from './compiled-kernel';
import { addOffset, outputArray } from './finish-outputs';
import { type BlockWork, type Conversion, type Reading, runBlocks, tableEntries } from './kernel-blocks';
import { countingProgram, type KernelProgram, type Reads, tableProgram } from './kernel-program';
import { adcKinds } from './layer-adcs';
import { inputMatrix, type LayerInputs } from './layer-inputs';
import { checkedBound, type LayerResult, type MappedLayer, sumRange } from './layer-job';

/** Sums and codes up to this have tables. */
const LARGEST_TABLE = 2 ** 22;

/** A layer made ready for any number of inputs. `record`: tell how often each column sum was seen. */
export type CompiledLayer = (inputs: LayerInputs, record: boolean) => LayerResult;

/** Makes a layer ready for the compiled kernel. */
export function compileLayer(layer: MappedLayer, compiled: CompiledModule): CompiledLayer {
  const bound = checkedBound(layer);
  const conversions = columnLoads(layer).conversions * layer.slices.planes;
  const programs = new Map<boolean, { readings: Reading[]; ones: number }>();
  const prepared = (record: boolean) => {
    const known = programs.get(record);
    if (known) return known;
    const made = readingsOf(layer, bound, record);
    programs.set(record, made);
    return made;
  };
  return (inputs, record) => {
    const { readings, ones } = prepared(record);
    const work = blockWork(layer, compiled, conversions, readings, inputs);
    const parts = work.saturated.length;
    runParts(runBlocks, {
      module: 'crossbar/kernel-blocks',
      name: 'runBlocks',
      argument: work,
      parts,
      // About six operations a one and word, at 3 GHz or so.
      milliseconds: 2e-6 * ones * layer.slices.planes * Math.ceil(inputs.vectors / LANES),
    });
    const outputs = work.outputs.slice();
    if (layer.encoding.offset !== 0) addOffset(layer, outputs, inputMatrix(inputs));
    const saturated = work.saturated.reduce((sum, count) => sum + count, 0);
    const result = { outputs, saturated, conversions: conversions * inputs.vectors };
    if (!record) return result;
    const counts = new Float64Array(tableEntries(work));
    for (let at = 0; at < work.histogram.length; at++) counts[at % counts.length] += work.histogram[at];
    return { ...result, sums: { lowest: sumRange(layer)[0], counts } };
  };
}

/** The converted columns by the kind of ADC that reads them, in the order in which their outputs are added up. */
function readingsOf(
  layer: MappedLayer,
  bound: number,
  record: boolean,
): { readings: Reading[]; ones: number } {
  let ones = 0;
  const { kinds, kindAt } = adcKinds(layer);
  const readings = kinds.map((adc, kind): Reading => {
    const reads: Reads = (...column) => kindAt(...column) === kind;
    const { program, conversion } = prepare({ ...layer, adc }, record, reads);
    ones += program.ones;
    const largest = conversion.kind === 'table' ? Math.max(...sumRange(layer).map(Math.abs)) : bound;
    return {
      program: shared(program.words),
      conversion,
      step: adcStep(adc),
      width: 33 - Math.clz32(largest),
    };
  });
  return { readings, ones };
}

/** Most ones of a bit column that the bit-sliced counters hold, and most codes they tell apart by thresholds. */
const MOST_ONES = 255;
const MOST_CODES = 31;

/** A layer whose columns are all read by one kind of ADC. */
type OneAdcLayer = MappedLayer & { readonly adc: Adc };

/** How a layer's conversions can stay bit-sliced to the end; undefined where sums are more than counts of ones. */
function counting(layer: OneAdcLayer): 'clipped' | 'thresholds' | undefined {
  const { adc, signedSums, encoding, slices } = layer;
  if (signedSums || encoding.cellBits !== 1 || slices.dacBits !== 1) return undefined;
  if (adc === 'lossless') return 'clipped';
  const { highest } = adcCodes(adc);
  const [, most] = sumRange(layer);
  if (adcStep(adc) === 1) return adc.bits <= 8 || most <= highest ? 'clipped' : undefined;
  return most <= MOST_ONES && highest <= MOST_CODES ? 'thresholds' : undefined;
}

/** What a layer's ADC makes of the columns that `reads` tells. */
function prepare(
  layer: OneAdcLayer,
  record: boolean,
  reads: Reads,
): { program: KernelProgram; conversion: Conversion } {
  const kind = record ? undefined : counting(layer);
  if (kind === undefined) return byTable(layer, reads);
  const negativePlane = layer.slices.weights.findIndex((weight) => weight < 0);
  if (kind === 'clipped') return byClipping(layer, negativePlane, reads);
  return byThresholds(layer, layer.adc as AdcSettings, negativePlane, reads);
}

function byClipping(layer: OneAdcLayer, negativePlane: number, reads: Reads) {
  const { adc } = layer;
  const adcBits = adc === 'lossless' ? 8 : Math.min(8, adc.bits);
  const kind = adcBits <= 3 ? ('narrow' as const) : ('wide' as const);
  const program = countingProgram(layer, adc === 'lossless' ? Infinity : adcCodes(adc).highest, reads);
  return { program, conversion: { kind, adcBits, negativePlane } };
}

function byThresholds(layer: OneAdcLayer, adc: AdcSettings, negativePlane: number, reads: Reads) {
  const [, most] = sumRange(layer);
  const thresholds: number[] = [];
  let clipping = MOST_ONES + 2;
  for (let sum = most; sum > 0; sum--) {
    for (let code = adcCode(sum, adc); code > 0; code--) thresholds[code - 1] = sum;
    if (clips(sum, adc)) clipping = sum;
  }
  const shifted = adcCode(0, adc);
  if (shifted !== 0) throw new Error(`compiled engine: no sum has the code ${shifted}`);
  const conversion = {
    kind: 'thresholds' as const,
    negativePlane,
    thresholds: Int32Array.from(thresholds),
    clipping,
  };
  return { program: countingProgram(layer, 0, reads), conversion };
}

function byTable(layer: OneAdcLayer, reads: Reads): { program: KernelProgram; conversion: Conversion } {
  const [lowest, highest] = sumRange(layer);
  const length = highest - lowest + 1;
  if (length > LARGEST_TABLE)
    throw new InputError(`tileRows: column sums may reach ${highest}, beyond ${LARGEST_TABLE}`);
  const codes = new Int32Array(jobBuffer(4 * length));
  const clipped = new Uint8Array(jobBuffer(length));
  for (let entry = 0; entry < length; entry++) {
    codes[entry] = adcCode(entry + lowest, layer.adc);
    clipped[entry] = Number(clips(entry + lowest, layer.adc as AdcSettings));
  }
  const { dacBits, weights } = layer.slices;
  const conversion: Conversion = { kind: 'table', dacBits, planeWeights: weights, codes, clipped, lowest };
  return { program: tableProgram(layer, reads), conversion };
}

function blockWork(
  layer: MappedLayer,
  compiled: CompiledModule,
  conversions: number,
  readings: readonly Reading[],
  { codes, vectors, source }: LayerInputs,
): BlockWork {
  const { columns, inputRows, slices } = layer;
  const blocks = Math.ceil(vectors / LANES);
  // A few parts a thread balance them; long parts copy less of what neighbouring blocks share.
  // A part's histogram counts in 32 bits.
  const countable = Math.floor(2 ** 31 / (LANES * Math.max(1, conversions)));
  const partBlocks = Math.max(1, Math.min(16, countable, Math.floor(blocks / (4 * threadCount()))));
  const parts = Math.ceil(blocks / partBlocks);
  return {
    compiled,
    readings,
    source,
    inputs: shared(codes),
    rows: inputRows,
    columns,
    vectors,
    planes: slices.planes,
    storedBits: slices.storedBits,
    signs: slices.form === 'sign-magnitude' ? 2 : 1,
    partVectors: partBlocks * LANES,
    outputs: outputArray(layer, vectors * columns, jobBuffer),
    saturated: new Float64Array(jobBuffer(8 * parts)),
    histogram: new Int32Array(jobBuffer(4 * parts * tableEntries({ readings }))),
  };
}

/** A copy that all threads of a job see; with one thread the array itself. */
function shared<T extends Int32Array | Uint8Array | Int8Array>(array: T): T {
  const buffer = jobBuffer(0);
  if (buffer instanceof ArrayBuffer || array.buffer instanceof SharedArrayBuffer) return array;
  const Kind = array.constructor as new (buffer: ArrayBuffer | SharedArrayBuffer) => T;
  const copy = new Kind(jobBuffer(array.byteLength));
  copy.set(array);
  return copy;
}
