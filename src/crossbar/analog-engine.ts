import { largestOf } from '../bitplanes/per-plane';
import { InputError } from '../errors';
import type { RandomStream } from '../tensor/random';
import { type AnalogKernel, analogKernel, lanes, maxPatternRows } from './analog-kernel';
import { type AnalogRecord, createRecorder, type Recorder } from './analog-record';
import type { AnalogSettings } from './analog-settings';
import { addOffset } from './finish-outputs';
import type { LayerJob, LayerResult } from './layer-job';
import { noiseStream } from './noise-stream';
import { type ProgrammedArray, type ProgrammedLayer, programLayer } from './program-layer';
import { type PulseTerms, pulseTerms } from './pulse-terms';
import { requireUnwired } from './require-unwired';

export interface AnalogResult extends LayerResult<Float64Array> {
  readonly record: AnalogRecord | undefined;
}

/**
 * Runs a layer on real cells, wires, DACs and converters. Outputs are in units of weight code times input code, as those of the
 * reference engine, which this one equals when the circuit is ideal: to the bit where codes times the step are exact
 * floats (whole steps, halves, quarters, ...), within their rounding otherwise.
 *
 * Bit columns without charge are skipped as there: the controller knows them. Sums are linear in the cells, so per tile every
 * four columns get tables of what each pattern of eight pulses adds (`analogKernel`).
 *
 * Static errors are drawn by `programLayer`; pass its result to run more inputs on the same arrays. Noise has a stream for each
 * layer, array and vector, so parts of the inputs, run apart with `firstVector`, give what the whole gives.
 *
 * @throws InputError for rows in another order than the inputs, and arrays of another layer
 */
export function analogEngine(
  job: LayerJob,
  settings: AnalogSettings = {},
  programmed: ProgrammedLayer = programLayer(job, settings),
): AnalogResult {
  requireUnwired(job);
  const circuit = programmed.settings;
  const { layer = 'layer', seed = 1 } = circuit;
  const { firstVector = 0, portable } = settings;
  if (programmed.arrays.length !== job.tiles.length - 1) {
    throw new InputError(
      `programmed: ${programmed.arrays.length} arrays where ${job.tiles.length - 1} are needed`,
    );
  }
  const noisyReads = programmed.arrays.some(({ variances }) => variances !== undefined);
  const terms = pulseTerms(job.slices, { alone: noisyReads, levels: circuit.dacLevels });
  const patternsAVector = job.slices.planes * terms.terms;
  const blockVectors = Math.min(job.vectors, Math.max(1, Math.floor(8192 / patternsAVector)));

  const outputs = new Float64Array(job.vectors * job.columns);
  const recorder = settings.record && createRecorder(job, settings.record);
  const kernels = new Map<number, AnalogKernel>();
  const levels = job.adc === 'lossless' ? 0 : 2 ** largestOf(job.adc.bits);
  let saturated = 0;
  let columns = 0;
  for (const [tile, array] of programmed.arrays.entries()) {
    const rows = job.tiles[tile + 1] - job.tiles[tile];
    if (rows > maxPatternRows) {
      throw new InputError(`tileRows: ${rows} rows in an array; the analog engine takes ${maxPatternRows}`);
    }
    if (array.columns.length === 0) continue;
    columns += array.columns.length;
    const kernel = kernels.get(rows) ?? analogKernel(rows, blockVectors * patternsAVector, levels, portable);
    kernels.set(rows, kernel);
    for (let first = 0; first < job.vectors; first += blockVectors) {
      const count = Math.min(blockVectors, job.vectors - first);
      setPatterns(job, terms, tile, kernel, first, count);
      if (array.digitalOffsets.some((offset) => offset !== 0)) countPulses(job, tile, kernel, first, count);
      const block: Block = {
        job,
        terms,
        tile,
        array,
        kernel,
        first,
        count,
        noise: isNoisy(array)
          ? Array.from({ length: count }, (_, i) =>
              noiseStream(
                seed,
                `noise of ${layer}, array ${tile}, vector ${firstVector + first + i}`,
                kernel.streams.subarray(4 * i, 4 * i + 4),
              ),
            )
          : undefined,
        recorder,
      };
      saturated += runBlock(block, outputs);
    }
  }
  if (job.encoding.offset !== 0) addOffset(job, outputs, job.inputs);
  return {
    outputs,
    saturated,
    conversions: columns * job.slices.planes * job.vectors,
    record: recorder?.finish(),
  };
}

/** Some vectors on one array. */
interface Block {
  readonly job: LayerJob;
  readonly terms: PulseTerms;
  readonly tile: number;
  readonly array: ProgrammedArray;
  readonly kernel: AnalogKernel;
  readonly first: number;
  readonly count: number;
  /** One stream a vector. */
  readonly noise: readonly RandomStream[] | undefined;
  readonly recorder: Recorder | undefined;
}

function isNoisy({ variances, converters }: ProgrammedArray): boolean {
  const noisy = converters?.some((made) => made.inputNoise > 0 || made.comparatorNoise > 0);
  return variances !== undefined || (noisy ?? false);
}

/** Sets the patterns of the block's pulses, [vector][plane][term]. */
function setPatterns(
  { inputs, rows, tiles, slices }: LayerJob,
  { terms, members, starts }: PulseTerms,
  tile: number,
  { patterns, groups }: AnalogKernel,
  first: number,
  count: number,
): void {
  const perVector = slices.planes * terms * groups;
  patterns.fill(0, 0, count * perVector);
  const from = tiles[tile];
  const to = tiles[tile + 1];
  for (let vector = 0; vector < count; vector++) {
    const at = (first + vector) * rows;
    for (let row = from; row < to; row++) {
      const code = inputs[at + row] & 255;
      const mark = 16 << ((row - from) & 7);
      const group = vector * perVector + ((row - from) >> 3);
      const end = starts[code + 1];
      for (let i = starts[code]; i < end; i++) patterns[group + members[i] * groups] |= mark;
    }
  }
}

/** What the digital side counts to take off currents of cells that are off: each plane's pulses, sign included. */
function countPulses(
  { inputs, rows, tiles, slices }: LayerJob,
  tile: number,
  { pulses }: AnalogKernel,
  first: number,
  count: number,
): void {
  const { planes } = slices;
  pulses.fill(0, 0, count * planes);
  for (let vector = 0; vector < count; vector++) {
    for (let row = tiles[tile]; row < tiles[tile + 1]; row++) {
      const code = inputs[(first + vector) * rows + row] & 255;
      for (let plane = 0; plane < planes; plane++) {
        pulses[vector * planes + plane] += slices.pulses[code * planes + plane];
      }
    }
  }
}

/** Sums and converts all columns of a block; adds to the outputs and returns how many conversions were out of range. */
function runBlock(block: Block, outputs: Float64Array): number {
  const { job, array, kernel, terms, first, count, recorder } = block;
  const { values, variances, converters } = array;
  const rows = values.length / array.columns.length;
  const patterns = count * job.slices.planes * terms.terms;
  // Pulses of one bit: the kernel's sums are the column sums, and noise is added to them in place.
  const plain = isPlain(terms);
  // Four columns at once, where nothing stands between a sum and its conversion.
  const straight = plain && !recorder && converters?.every(({ comparatorNoise }) => comparatorNoise === 0);
  let saturated = 0;
  for (const group of laneGroups(array, job.readouts.length)) {
    const channels = group.map((index) => Math.floor(array.columns[index] / job.readouts.length));
    const starts = group.map((index) => index * rows);
    kernel.setCells(values, starts);
    kernel.run(patterns, 'sums');
    if (variances) {
      kernel.setCells(variances, starts);
      kernel.run(patterns, 'others');
    }
    const { noise } = block;
    if (plain && noise) {
      group.forEach((index, lane) => {
        const inputVariance = inputVarianceOf(array, index);
        kernel.addNoise(lane, job.slices.planes, inputVariance, variances !== undefined, noise);
      });
    }
    copyOutputs(kernel.outputs, outputs, job.columns, channels, first, count, false);
    const together =
      straight && converters
        ? kernel.convertLanes(
            group.map((index) => ({ converter: converters[index], ...digitalSide(block, index) })),
            count,
          )
        : undefined;
    if (together !== undefined) saturated += together;
    else
      group.forEach((index, lane) => {
        saturated += convertColumn(block, index, lane);
      });
    copyOutputs(kernel.outputs, outputs, job.columns, channels, first, count, true);
  }
  return saturated;
}

/**
 * Columns in use by fours, each of an output channel of its own: first all channels' first readout, then their second, the
 * order in which the reference engine adds them up.
 */
function laneGroups({ columns }: ProgrammedArray, readouts: number): number[][] {
  const groups: number[][] = [];
  for (let readout = 0; readout < readouts; readout++) {
    let group: number[] = [];
    columns.forEach((column, index) => {
      if (column % readouts !== readout) return;
      if (group.length === 0) groups.push(group);
      group.push(index);
      if (group.length === lanes) group = [];
    });
  }
  return groups;
}

/** Takes the outputs of up to four channels to where they are added to, [vector][lane], or (`back`) back again. */
function copyOutputs(
  here: Float64Array,
  outputs: Float64Array,
  columns: number,
  channels: readonly number[],
  first: number,
  count: number,
  back: boolean,
): void {
  channels.forEach((channel, lane) => {
    for (let i = 0, at = first * columns + channel, to = lane; i < count; i++, at += columns, to += lanes) {
      if (back) outputs[at] = here[to];
      else here[to] = outputs[at];
    }
  });
}

/** What a converted column counts for. */
function digitalSide({ job, array, tile }: Block, index: number): { factors: Float64Array; offset: number } {
  const column = array.columns[index];
  const { weight } = job.readouts[column % job.readouts.length];
  const channel = Math.floor(column / job.readouts.length);
  const sign = job.flips?.[tile * job.columns + channel] ? -1 : 1;
  return {
    factors: Float64Array.from(job.slices.weights, (slice) => sign * slice * weight),
    offset: array.digitalOffsets[index],
  };
}

/** Puts the terms of each pulse together again. */
function combine(from: Float32Array, lane: number, coefficients: Float64Array, into: Float64Array): void {
  const terms = coefficients.length;
  const count = into.length;
  if (terms === 1) {
    const coefficient = coefficients[0];
    for (let i = 0, at = lane; i < count; i++, at += lanes) into[i] = coefficient * from[at];
    return;
  }
  for (let i = 0, at = lane; i < count; i++) {
    let sum = 0;
    for (let term = 0; term < terms; term++, at += lanes) sum += coefficients[term] * from[at];
    into[i] = sum;
  }
}

/** Takes one column's sums through noise and converter to the outputs. */
function convertColumn(block: Block, index: number, lane: number): number {
  const { job, array, kernel, terms, tile, count, noise, recorder } = block;
  const { planes } = job.slices;
  const sums = kernel.column.subarray(0, count * planes);
  combine(kernel.sums, lane, terms.coefficients, sums);
  if (noise && !isPlain(terms)) {
    const variances = array.variances && new Float64Array(sums.length);
    if (variances) combine(kernel.others, lane, terms.squares, variances);
    addNoise(sums, variances, inputVarianceOf(array, index), planes, noise);
  }
  const column = array.columns[index];
  const { factors, offset } = digitalSide(block, index);
  const converter = array.converters?.[index];
  recorder?.sums(tile, column, sums);
  if (!converter) {
    shiftAndAdd(sums, kernel, lane, factors, offset, count);
    return 0;
  }
  if (converter.comparatorNoise === 0 && !recorder) {
    return kernel.convertAndAdd({ converter, factors, offset }, lane, count);
  }
  const step = converter.adc.step ?? 1;
  let saturated = 0;
  for (let i = 0; i < sums.length; i++) {
    if (converter.clips(sums[i])) saturated++;
    sums[i] = converter.decide(sums[i], noise?.[Math.floor(i / planes)]) * step;
  }
  recorder?.codes(tile, column, sums, converter);
  shiftAndAdd(sums, kernel, lane, factors, offset, count);
  return saturated;
}

function isPlain({ terms, coefficients }: PulseTerms): boolean {
  return terms === 1 && coefficients[0] === 1;
}

function inputVarianceOf({ converters }: ProgrammedArray, index: number): number {
  return (converters?.[index].inputNoise ?? 0) ** 2;
}

/**
 * Adds noise to one column's sums. Reads of cells and the converter's input are independent, so their noise together is normal
 * with the sum of their variances: one draw a conversion. A column that no row drives may have no noise but takes its draw, so
 * that inputs do not shift each other's. Where a sum is one pulse's, the kernel does the same (`AnalogKernel.addNoise`).
 */
function addNoise(
  sums: Float64Array,
  variances: Float64Array | undefined,
  inputVariance: number,
  planes: number,
  noise: readonly RandomStream[],
): void {
  if (!variances && inputVariance === 0) return;
  for (let i = 0; i < sums.length; i++) {
    const variance = inputVariance + (variances ? Math.max(0, variances[i]) : 0);
    sums[i] += Math.sqrt(variance) * noise[Math.floor(i / planes)].normal();
  }
}

/** The digital side: what each converted sum counts for. */
function shiftAndAdd(
  values: Float64Array,
  { outputs, pulses }: AnalogKernel,
  lane: number,
  factors: Float64Array,
  offset: number,
  count: number,
): void {
  const planes = factors.length;
  for (let vector = 0, i = 0; vector < count; vector++) {
    let output = outputs[vector * lanes + lane];
    for (let plane = 0; plane < planes; plane++, i++) {
      output += factors[plane] * (values[i] - offset * pulses[i]);
    }
    outputs[vector * lanes + lane] = output;
  }
}
