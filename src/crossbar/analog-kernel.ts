import { analogKernelModule, laneConstants } from './analog-kernel-module';
import type { Converter } from './build-converter';
import { laneLevels } from './lane-levels';

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
  /** Rows / 8, rounded up. */
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
  /** Builds the tables of four columns: values[starts[lane] + row]. A missing start is a column of zeros. */
  setCells(values: Float32Array, starts: readonly number[]): void;
  /** Sums the first `count` patterns (at least 1) into `sums` or `others`. */
  run(count: number, into: 'sums' | 'others'): void;
  /**
   * Converts `column` of the first `vectors` vectors without noise and adds to `outputs` of a lane factors[plane] *
   * (converted - offset * pulses). Returns how many sums the converter clipped.
   */
  convertAndAdd(column: LaneColumn, lane: number, vectors: number): number;
  /**
   * The same for up to four columns at once, straight from `sums`; undefined, and nothing done, where that needs more than
   * WebAssembly of a machine and converters near their ideal offer.
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

/** Node and browsers have it; only what is used here. */
declare const WebAssembly:
  | {
      Module: new (bytes: Uint8Array) => object;
      Instance: new (module: object, imports: object) => { readonly exports: object };
      Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
      validate(bytes: Uint8Array): boolean;
    }
  | undefined;

interface KernelExports {
  fill(cells: number, tables: number, end: number): void;
  sum(patterns: number, end: number, tables: number, sums: number): void;
  convert(
    sums: number,
    pulses: number,
    outputs: number,
    end: number,
    factors: number,
    factorsEnd: number,
    levels: number,
    last: number,
    step: number,
    slope: number,
    shift: number,
    offset: number,
    below: number,
    above: number,
    lowest: number,
  ): number;
  convertLanes?(
    sums: number,
    pulses: number,
    outputs: number,
    end: number,
    factors: number,
    factorsEnd: number,
    constants: number,
  ): void;
}

const modules = new Map<number, object | undefined>();

/**
 * Room for `capacity` patterns of `rows` rows, and for converters of up to `levels` transition levels. Runs in WebAssembly
 * where the machine has its 128-bit vectors, else (or with `portable`) in plain TypeScript; both give the same bits.
 */
export function analogKernel(rows: number, capacity: number, levels = 0, portable = false): AnalogKernel {
  const groups = Math.ceil(rows / 8);
  const sizes = {
    tables: groups * 256 * lanes * 4,
    cells: groups * 8 * lanes * 4,
    sums: capacity * lanes * 4,
    others: capacity * lanes * 4,
    column: capacity * 8,
    pulses: capacity * 8,
    outputs: capacity * lanes * 8,
    factors: maxPlanes * lanes * 8,
    levels: (levels + 2) * 8,
    constants: laneConstants.size,
    laneLevels: (levels + 2) * lanes * 4,
    patterns: capacity * groups * 2,
  };
  const at: Record<keyof typeof sizes, number> = { ...sizes };
  let size = 0;
  for (const key of Object.keys(sizes) as (keyof typeof sizes)[]) {
    at[key] = size;
    size += Math.ceil(sizes[key] / 16) * 16;
  }

  const module = portable ? undefined : compiled(groups);
  let buffer: ArrayBuffer;
  let kernel: KernelExports;
  if (module && WebAssembly) {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(size / 65536) });
    buffer = memory.buffer;
    kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as KernelExports;
  } else {
    buffer = new ArrayBuffer(size);
    kernel = portableKernel(buffer, groups);
  }
  const cells = new Float32Array(buffer, at.cells, sizes.cells / 4);
  const factorsOf = new Float64Array(buffer, at.factors, maxPlanes * lanes);
  const real32 = new Float32Array(buffer, at.constants, laneConstants.size / 4);
  const whole32 = new Int32Array(buffer, at.constants, laneConstants.size / 4);
  const real64 = new Float64Array(buffer, at.constants, laneConstants.size / 8);
  const levelsOf = Array.from(
    { length: lanes },
    (_, lane) => new Float32Array(buffer, at.laneLevels + lane * (levels + 2) * 4, levels + 2),
  );
  // Infinite levels at both ends, so that no search leaves the table.
  const padded = new Float64Array(buffer, at.levels, levels + 2);
  let inPlace: Float64Array | undefined;
  return {
    groups,
    patterns: new Uint16Array(buffer, at.patterns, capacity * groups),
    sums: new Float32Array(buffer, at.sums, capacity * lanes),
    others: new Float32Array(buffer, at.others, capacity * lanes),
    column: new Float64Array(buffer, at.column, capacity),
    pulses: new Float64Array(buffer, at.pulses, capacity),
    outputs: new Float64Array(buffer, at.outputs, capacity * lanes),
    setCells(values, starts) {
      cells.fill(0);
      for (let lane = 0; lane < starts.length; lane++) {
        for (let row = 0; row < rows; row++) cells[row * lanes + lane] = values[starts[lane] + row];
      }
      kernel.fill(at.cells, at.tables, at.tables + sizes.tables);
    },
    run(count, into) {
      kernel.sum(at.patterns, at.patterns + count * groups * 2, at.tables, at[into]);
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
      return kernel.convert(
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
        real32[laneConstants.slope / 4 + lane] = converter.guess.slope / step;
        real32[laneConstants.shift / 4 + lane] = converter.guess.shift;
        whole32[laneConstants.last / 4 + lane] = converter.levels.length;
        real32[laneConstants.below / 4 + lane] = spare ? -Infinity : table.limits[0];
        real32[laneConstants.above / 4 + lane] = spare ? Infinity : table.limits[1];
        whole32[laneConstants.lowest / 4 + lane] = converter.lowest;
        real64[laneConstants.step / 8 + lane] = step;
        real64[laneConstants.offset / 8 + lane] = offset;
        whole32[laneConstants.levels / 4 + lane] = at.laneLevels + lane * (levels + 2) * 4;
        whole32[laneConstants.saturated / 4 + lane] = 0;
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
        saturated += whole32[laneConstants.saturated / 4 + lane];
      }
      return saturated;
    },
  };
}

function compiled(groups: number): object | undefined {
  if (!modules.has(groups)) {
    const known = typeof WebAssembly === 'undefined' ? undefined : WebAssembly;
    const bytes = analogKernelModule(groups);
    modules.set(groups, known?.validate(bytes) ? new known.Module(bytes) : undefined);
  }
  return modules.get(groups);
}

/** The same functions on the same memory in TypeScript. */
function portableKernel(buffer: ArrayBuffer, groups: number): KernelExports {
  const floats = new Float32Array(buffer);
  const halves = new Uint16Array(buffer);
  const doubles = new Float64Array(buffer);
  const stride = 256 * lanes;
  return {
    fill(cellBytes, tableBytes, endBytes) {
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
    sum(patternBytes, endBytes, _tables, sumBytes) {
      let out = sumBytes >> 2;
      for (let at = patternBytes >> 1; at < endBytes >> 1; at += groups) {
        for (let lane = 0; lane < lanes; lane++, out++) {
          let even = floats[(halves[at] >> 2) + lane];
          for (let group = 2; group < groups; group += 2) {
            even = Math.fround(even + floats[group * stride + (halves[at + group] >> 2) + lane]);
          }
          if (groups > 1) {
            let odd = floats[stride + (halves[at + 1] >> 2) + lane];
            for (let group = 3; group < groups; group += 2) {
              odd = Math.fround(odd + floats[group * stride + (halves[at + group] >> 2) + lane]);
            }
            even = Math.fround(even + odd);
          }
          floats[out] = even;
        }
      }
    },
    convert(...args) {
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
