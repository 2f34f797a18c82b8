import { InputError } from '../errors';
import { clips, convert } from './adc';
import { convertWord } from './convert-word';
import { type LayerJob, type LayerResult, outputBound } from './layer-job';
import { type OnesLists, onesLists } from './ones-lists';
import { type InputWords, inputWords, packInputs } from './pack-inputs';
import { addOffset } from './reference-engine';

/**
 * The crossbar bit-sliced across 32 input vectors: bit v of a 32-bit word belongs to vector v, so one carry-save adder
 * counts for 32 vectors at once, and only rows that hold a one are visited. Its cost follows the ones of the weights.
 * Bit for bit what the reference engine gives. Needs a whole ADC step and outputs below 2^31.
 */
export function bitSlicedEngine(job: LayerJob): LayerResult<Int32Array> {
  if (job.adc !== 'lossless' && !Number.isInteger(job.adc.step ?? 1)) {
    throw new InputError(`adc.step: ${job.adc.step} is not a whole number, which integer outputs need`);
  }
  const bound = outputBound(job);
  if (bound >= 2 ** 31) {
    throw new InputError(`rows: outputs of ${job.rows} rows may reach ${bound}, beyond 32-bit integers`);
  }
  const lists = onesLists(job);
  const words = inputWords(job);
  const outputs = new Int32Array(job.vectors * job.columns);
  const block = isPlain(job, lists) ? plainBlock(job, lists, words, bound) : generalBlock(job, lists, words);
  let saturated = 0;
  for (let first = 0; first < job.vectors; first += 32) {
    const lanes = Math.min(32, job.vectors - first);
    packInputs(job, words, first, lanes);
    saturated += block(outputs, first, lanes);
  }
  if (job.encoding.offset !== 0) addOffset(job, outputs);
  return { outputs, saturated, conversions: countConversions(job, lists) };
}

/** Converts all columns of a block of up to 32 vectors, adds to their outputs, returns the number of clipped sums. */
type Block = (outputs: Int32Array, first: number, lanes: number) => number;

/** Whether every conversion is a count of ones clipped at 2^bits-1: the case that stays bit-sliced to the end. */
function isPlain(job: LayerJob, lists: OnesLists): boolean {
  const { adc, encoding, slices } = job;
  if (job.signedSums || encoding.cellBits !== 1 || slices.dacBits !== 1) return false;
  if (adc !== 'lossless' && (adc.step ?? 1) !== 1) return false;
  return lists.counts.every((ones) => ones <= 255);
}

function plainBlock(job: LayerJob, lists: OnesLists, input: InputWords, bound: number): Block {
  const { columns, slices, encoding, adc } = job;
  const lastPlane = slices.planes - 1;
  const slots = encoding.polarities * encoding.planes;
  const listsAColumn = (job.tiles.length - 1) * slots;
  const { flips } = job;
  const shifts = Array.from(encoding.weights, (weight) => Math.log2(Math.abs(weight)));
  const adcBits = adc === 'lossless' ? 8 : Math.min(8, adc.bits);
  const width = 32 - Math.clz32(bound);
  const added = new Int32Array(33);
  const subtracted = new Int32Array(33);
  return (outputs, first, lanes) => {
    let saturated = 0;
    for (let column = 0; column < columns; column++) {
      added.fill(0);
      subtracted.fill(0);
      for (let at = 0; at < listsAColumn; at++) {
        const list = column * listsAColumn + at;
        const ones = lists.counts[list];
        if (ones === 0) continue;
        const slot = at % slots;
        const countBits = 32 - Math.clz32(ones);
        const flipped = flips !== undefined && flips[Math.floor(at / slots) * columns + column] === 1;
        for (let plane = 0; plane <= lastPlane; plane++) {
          const negative = (encoding.weights[slot] < 0 !== slices.weights[plane] < 0) !== flipped;
          saturated += convertWord(
            input.words,
            plane * input.stride,
            lists.rows,
            lists.starts[list],
            lists.starts[list + 1],
            countBits,
            adcBits,
            negative ? subtracted : added,
            shifts[slot] + plane,
          );
        }
      }
      for (let lane = 0; lane < lanes; lane++) {
        let sum = 0;
        for (let bit = 0; bit < width; bit++) {
          sum += (((added[bit] >>> lane) & 1) - ((subtracted[bit] >>> lane) & 1)) << bit;
        }
        outputs[(first + lane) * columns + column] = sum;
      }
    }
    return saturated;
  };
}

/** Any cells, DACs, step, rounding and sign: counts bit-sliced, then converts each vector's sum by a table. */
function generalBlock(job: LayerJob, lists: OnesLists, input: InputWords): Block {
  const { columns, slices, encoding } = job;
  const { cellBits } = encoding;
  const slots = encoding.polarities * encoding.planes;
  const tiles = job.tiles.length - 1;
  const table = conversionTable(job);
  const plus = new Int32Array(33);
  const minus = new Int32Array(33);
  const sums = new Int32Array(32);

  /** Adds the digit products of one cell column and one pulse plane to the counters. */
  const count = (slot: number, plane: number, positive: Int32Array, negative: Int32Array) => {
    const firstBit = plane * slices.dacBits;
    const bits = Math.min(slices.dacBits, slices.storedBits - firstBit);
    for (let cellBit = 0; cellBit < cellBits; cellBit++) {
      const list = slot * cellBits + cellBit;
      for (let bit = 0; bit < bits; bit++) {
        for (let sign = 0; sign < input.signs; sign++) {
          const base = (sign * slices.storedBits + firstBit + bit) * input.stride;
          const counter = sign === 0 ? positive : negative;
          for (let at = lists.starts[list]; at < lists.starts[list + 1]; at++) {
            let carry = input.words[base + lists.rows[at]];
            for (let q = bit + cellBit; carry !== 0; q++) {
              const old = counter[q];
              counter[q] = old ^ carry;
              carry &= old;
            }
          }
        }
      }
    }
  };
  const isEmpty = (slot: number) => {
    for (let bit = 0; bit < cellBits; bit++) if (lists.counts[slot * cellBits + bit] !== 0) return false;
    return true;
  };

  return (outputs, first, lanes) => {
    let saturated = 0;
    for (let column = 0; column < columns; column++) {
      for (let tile = 0; tile < tiles; tile++) {
        const base = (column * tiles + tile) * slots;
        const sign = job.flips?.[tile * columns + column] ? -1 : 1;
        for (const readout of job.readouts) {
          if (isEmpty(base + readout.plus) && (readout.minus < 0 || isEmpty(base + readout.minus))) continue;
          for (let plane = 0; plane < slices.planes; plane++) {
            plus.fill(0);
            minus.fill(0);
            count(base + readout.plus, plane, plus, minus);
            if (readout.minus >= 0) count(base + readout.minus, plane, minus, plus);
            spread(plus, minus, table.width, sums, lanes);
            const weight = sign * readout.weight * slices.weights[plane];
            for (let lane = 0; lane < lanes; lane++) {
              const entry = sums[lane] + table.zero;
              outputs[(first + lane) * columns + column] += weight * table.values[entry];
              saturated += table.clipped[entry];
            }
          }
        }
      }
    }
    return saturated;
  };
}

/** Turns bit-sliced counters into one difference a lane. */
function spread(plus: Int32Array, minus: Int32Array, width: number, sums: Int32Array, lanes: number): void {
  sums.fill(0);
  for (let bit = 0; bit < width; bit++) {
    const up = plus[bit];
    const down = minus[bit];
    if ((up | down) === 0) continue;
    for (let lane = 0; lane < lanes; lane++)
      sums[lane] += (((up >>> lane) & 1) - ((down >>> lane) & 1)) << bit;
  }
}

interface ConversionTable {
  /** What each sum converts to: values[sum + zero]. */
  readonly values: Int32Array;
  readonly clipped: Uint8Array;
  readonly zero: number;
  /** Bits of the largest sum. */
  readonly width: number;
}

function conversionTable({ tiles, slices, encoding, adc, signedSums }: LayerJob): ConversionTable {
  let rows = 0;
  for (let tile = 0; tile + 1 < tiles.length; tile++) rows = Math.max(rows, tiles[tile + 1] - tiles[tile]);
  const most = rows * slices.maxPulse * (2 ** encoding.cellBits - 1);
  if (most > 2 ** 26) throw new InputError(`tileRows: column sums may reach ${most}, beyond 2^26`);
  const zero = signedSums ? most : 0;
  const values = Int32Array.from({ length: zero + most + 1 }, (_, entry) => convert(entry - zero, adc));
  const clipped = Uint8Array.from({ length: zero + most + 1 }, (_, entry) => +clips(entry - zero, adc));
  return { values, clipped, zero, width: 32 - Math.clz32(most) };
}

function countConversions(job: LayerJob, { counts }: OnesLists): number {
  const { encoding, slices, vectors } = job;
  const slots = encoding.polarities * encoding.planes;
  const { cellBits } = encoding;
  const filled = (slot: number) => {
    for (let bit = 0; bit < cellBits; bit++) if (counts[slot * cellBits + bit] !== 0) return true;
    return false;
  };
  let columns = 0;
  for (let base = 0; base < counts.length / cellBits; base += slots) {
    for (const { plus, minus } of job.readouts) {
      if (filled(base + plus) || (minus >= 0 && filled(base + minus))) columns++;
    }
  }
  return columns * slices.planes * vectors;
}
