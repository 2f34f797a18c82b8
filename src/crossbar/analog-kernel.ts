import { instantiate } from '../tensor/compiled-module';
import type { RandomStream } from '../tensor/random';
import type { Converter } from './build-converter';
import { type AnalogExports, compiledKernel, layOut } from './compiled-kernel';
import * as laneConstants from './kernel/lane-constants';
import { laneLevels } from './lane-levels';
import { edges, inner } from './noise-stream';

/** Columns that are summed at once. */
export const lanes = 4;

/** Most pulses an input. */
const maxPlanes = 8;

/** Most rows of a column: each eight take a table of 4 KB. */
export const maxPatternRows = 4096;

/**
 * Sums the cells of four columns over the rows that a pattern of pulses drives. For every eight rows a table holds what each of
 * the 256 patterns of pulses adds, so a sum is one look-up an eight rows, whatever the pulses and the cells (the "four
 * Russians" way, Arlazarov et al. 1970). Sums are of 32-bit floats, added in a fixed order: whole numbers below 2^24 are exact.
 * Then converts one column's sums and adds them up.
 */
export interface AnalogKernel {
  /** Rows / 8, rounded up to an even number. */
  readonly groups: number;
  /** Which rows are driven: 16 << (row & 7) is set in patterns[at * groups + (row >> 3)]. [capacity * groups] */
  readonly patterns: Uint16Array;
  /** Sum of each pattern and column: sums[at * lanes + lane]. [capacity * lanes] */
  readonly sums: Float32Array;
  /** A second result, for another property of the same cells. */
  readonly others: Float32Array;
  /** One column's sums, to be converted: [vector][plane]. [capacity] */
  readonly column: Float64Array;
  /** Pulses counted digitally: [vector][plane]. [capacity] */
  readonly pulses: Float64Array;
  /** Outputs of the channels that the four columns belong to: [vector][lane]. [capacity * lanes] */
  readonly outputs: Float64Array;
  /** States of the vectors' noise streams, four words each. [capacity * 4] */
  readonly streams: Int32Array;
  /** Builds the tables of four columns: values[starts[lane] + row]. A missing start is a column of zeros. */
  setCells(values: Float32Array, starts: readonly number[]): void;
  /** Sums the first `count` patterns (at least 1) into `sums` or `others`. */
  run(count: number, into: 'sums' | 'others'): void;
  /**
   * Adds to a lane's `sums` of one pattern a plane a normal draw each, of variance `inputVariance` and, where `varied`, that in
   * `others` besides. One stream a vector, whose states are the first of `streams`.
   */
  addNoise(
    lane: number,
    planes: number,
    inputVariance: number,
    varied: boolean,
    noise: readonly RandomStream[],
  ): void;
  /**
   * Converts `column` of the first `vectors` vectors without noise and adds to `outputs` of a lane factors[plane] *
   * (converted - offset * pulses). Returns how many sums the converter clipped.
   */
  convertAndAdd(column: LaneColumn, lane: number, vectors: number): number;
  /**
   * The same for up to four columns at once, straight from `sums`; undefined, and nothing done, where that needs more than the
   * compiled kernel and converters near their ideal offer.
   */
  convertLanes(columns: readonly LaneColumn[], vectors: number): number | undefined;
}

/** How one column of sums is converted and what it counts for. */
export interface LaneColumn {
  readonly converter: Converter;
  /** [planes] */
  readonly factors: Float64Array;
  readonly offset: number;
}

/**
 * Room for `capacity` patterns of `rows` rows, and for converters of up to `levels` transition levels, in memory of its own.
 * Runs on the compiled kernel where it is there, else (or with `portable`) in plain TypeScript; both give the same bits.
 */
export function analogKernel(rows: number, capacity: number, levels = 0, portable = false): AnalogKernel {
  const groups = 2 * Math.ceil(rows / 16);
  const sizes = {
    tables: groups * 256 * lanes * 4,
    cells: groups * 8 * lanes * 4,
    sums: capacity * lanes * 4,
    others: capacity * lanes * 4,
    column: capacity * 8,
    pulses: capacity * 8,
    outputs: capacity * lanes * 8,
    streams: capacity * 16,
    ziggurat: (edges.length + inner.length) * 8,
    factors: maxPlanes * lanes * 8,
    levels: (levels + 2) * 8,
    constants: laneConstants.SIZE,
    laneLevels: (levels + 2) * lanes * 4,
    patterns: capacity * groups * 2,
  };
  const compiled = portable ? undefined : compiledKernel();
  const kernel = compiled
    ? instantiate<AnalogExports>(compiled, 'the compiled crossbar kernel')
    : portableKernel(Object.values(sizes));
  const addresses = layOut(kernel, Object.values(sizes));
  const at = Object.fromEntries(Object.keys(sizes).map((key, i) => [key, addresses[i]])) as typeof sizes;
  const { buffer } = kernel.memory;
  const cells = new Float32Array(buffer, at.cells, sizes.cells / 4);
  const factorsOf = new Float64Array(buffer, at.factors, maxPlanes * lanes);
  const real32 = new Float32Array(buffer, at.constants, laneConstants.SIZE / 4);
  const whole32 = new Int32Array(buffer, at.constants, laneConstants.SIZE / 4);
  const real64 = new Float64Array(buffer, at.constants, laneConstants.SIZE / 8);
  const levelsOf = Array.from(
    { length: lanes },
    (_, lane) => new Float32Array(buffer, at.laneLevels + lane * (levels + 2) * 4, levels + 2),
  );
  // Infinite levels at both ends, so that no search leaves the table.
  const padded = new Float64Array(buffer, at.levels, levels + 2);
  new Float64Array(buffer, at.ziggurat).set([...edges, ...inner]);
  const sums = new Float32Array(buffer, at.sums, capacity * lanes);
  const others = new Float32Array(buffer, at.others, capacity * lanes);
  let inPlace: Float64Array | undefined;
  return {
    groups,
    patterns: new Uint16Array(buffer, at.patterns, capacity * groups),
    sums,
    others,
    column: new Float64Array(buffer, at.column, capacity),
    pulses: new Float64Array(buffer, at.pulses, capacity),
    outputs: new Float64Array(buffer, at.outputs, capacity * lanes),
    streams: new Int32Array(buffer, at.streams, capacity * 4),
    setCells(values, starts) {
      cells.fill(0);
      for (let lane = 0; lane < starts.length; lane++) {
        for (let row = 0; row < rows; row++) cells[row * lanes + lane] = values[starts[lane] + row];
      }
      kernel.fillTables(at.cells, at.tables, at.tables + sizes.tables);
    },
    run(count, into) {
      kernel.sumPatterns(at.patterns, at.patterns + count * groups * 2, at.tables, at[into], groups);
    },
    addNoise(lane, planes, inputVariance, varied, noise) {
      if (!varied && inputVariance === 0) return;
      const draws = noise.length * planes;
      for (let draw = 0; draw < draws; draw++) {
        draw =
          kernel.addNoise?.(
            at.sums + 4 * lane,
            varied ? at.others + 4 * lane : 0,
            inputVariance,
            at.streams,
            at.ziggurat,
            at.ziggurat + 8 * edges.length,
            planes,
            draw,
            draws,
          ) ?? draw;
        if (draw === draws) return;
        const i = draw * lanes + lane;
        const variance = inputVariance + (varied ? Math.max(0, others[i]) : 0);
        sums[i] += Math.sqrt(variance) * noise[Math.floor(draw / planes)].normal();
      }
    },
    convertAndAdd({ converter, factors, offset }, lane, vectors) {
      const last = converter.levels.length;
      if (inPlace !== converter.levels) {
        inPlace = converter.levels;
        padded[0] = -Infinity;
        padded.set(inPlace, 1);
        padded[last + 1] = Infinity;
      }
      factorsOf.set(factors);
      return kernel.convertColumn(
        at.column,
        at.pulses,
        at.outputs + 8 * lane,
        at.outputs + 8 * lane + 8 * lanes * vectors,
        at.factors,
        at.factors + 8 * factors.length,
        at.levels,
        last,
        converter.adc.step ?? 1,
        converter.guess.slope,
        converter.guess.shift,
        offset,
        converter.limits[0],
        converter.limits[1],
        converter.lowest,
      );
    },
    convertLanes(columns, vectors) {
      const tables = columns.map(({ converter }) => laneLevels(converter));
      if (!kernel.convertLanes || !tables.every(({ close }) => close)) return undefined;
      const planes = columns[0].factors.length;
      for (let lane = 0; lane < lanes; lane++) {
        // Columns short of four are the first one again, counting for nothing and never clipped.
        const spare = lane >= columns.length;
        const { converter, factors, offset } = columns[spare ? 0 : lane];
        const table = tables[spare ? 0 : lane];
        const step = converter.adc.step ?? 1;
        real32[laneConstants.SLOPE / 4 + lane] = converter.guess.slope / step;
        real32[laneConstants.SHIFT / 4 + lane] = converter.guess.shift;
        whole32[laneConstants.LAST / 4 + lane] = converter.levels.length;
        real32[laneConstants.BELOW / 4 + lane] = spare ? -Infinity : table.limits[0];
        real32[laneConstants.ABOVE / 4 + lane] = spare ? Infinity : table.limits[1];
        whole32[laneConstants.LOWEST / 4 + lane] = converter.lowest;
        real64[laneConstants.STEP / 8 + lane] = step;
        real64[laneConstants.OFFSET / 8 + lane] = offset;
        whole32[laneConstants.LEVELS / 4 + lane] = at.laneLevels + lane * (levels + 2) * 4;
        whole32[laneConstants.SATURATED / 4 + lane] = 0;
        levelsOf[lane].set(table.levels);
        for (let plane = 0; plane < planes; plane++) {
          factorsOf[plane * lanes + lane] = spare ? 0 : factors[plane];
        }
      }
      kernel.convertLanes(
        at.sums,
        at.pulses,
        at.outputs,
        at.outputs + 8 * lanes * vectors,
        at.factors,
        at.factors + 8 * lanes * planes,
        at.constants,
      );
      let saturated = 0;
      for (let lane = 0; lane < columns.length; lane++) {
        saturated += whole32[laneConstants.SATURATED / 4 + lane];
      }
      return saturated;
    },
  };
}

/** The same functions in TypeScript, on memory that arrays of these sizes fit in. */
function portableKernel(sizes: readonly number[]): AnalogExports {
  const buffer = new ArrayBuffer(sizes.reduce((total, size) => total + ((size + 63) & ~63), 0));
  const floats = new Float32Array(buffer);
  const halves = new Uint16Array(buffer);
  const doubles = new Float64Array(buffer);
  const stride = 256 * lanes;
  return {
    memory: { buffer, grow: () => -1 },
    firstFree: () => 0,
    fillTables(cellBytes, tableBytes, endBytes) {
      let cell = cellBytes >> 2;
      for (let table = tableBytes >> 2; table < endBytes >> 2; table += stride) {
        for (let bit = 0; bit < 8; bit++, cell += lanes) {
          const half = lanes << bit;
          for (let at = 0; at < half; at++) {
            floats[table + half + at] = Math.fround(floats[table + at] + floats[cell + (at & (lanes - 1))]);
          }
        }
      }
    },
    sumPatterns(patternBytes, endBytes, tableBytes, sumBytes, groups) {
      const tables = tableBytes >> 2;
      let out = sumBytes >> 2;
      for (let at = patternBytes >> 1; at < endBytes >> 1; at += groups) {
        for (let lane = 0; lane < lanes; lane++, out++) {
          let even = floats[tables + (halves[at] >> 2) + lane];
          for (let group = 2; group < groups; group += 2) {
            even = Math.fround(even + floats[tables + group * stride + (halves[at + group] >> 2) + lane]);
          }
          let odd = floats[tables + stride + (halves[at + 1] >> 2) + lane];
          for (let group = 3; group < groups; group += 2) {
            odd = Math.fround(odd + floats[tables + group * stride + (halves[at + group] >> 2) + lane]);
          }
          floats[out] = Math.fround(even + odd);
        }
      }
    },
    convertColumn(...args) {
      let [sum, pulse, output, end, factors, factorsEnd, levels] = args.slice(0, 7).map((at) => at >> 3);
      const [last, step, slope, shift, offset, below, above, lowest] = args.slice(7);
      let saturated = 0;
      for (; output < end; output += lanes) {
        let total = doubles[output];
        for (let factor = factors; factor < factorsEnd; factor++, sum++, pulse++) {
          const input = doubles[sum] / step;
          if (input < below || input >= above) saturated++;
          let at = levels + Math.min(last, Math.max(0, Math.floor(input * slope + shift)));
          while (input >= doubles[at + 1]) at++;
          while (input < doubles[at]) at--;
          total += doubles[factor] * ((at - levels + lowest) * step - offset * doubles[pulse]);
        }
        doubles[output] = total;
      }
      return saturated;
    },
  };
}
