import { patternSumModule } from './pattern-sum-module';

/** Columns that are summed at once. */
export const lanes = 4;

/** Most rows of a column: each eight take a table of 4 KB. */
export const maxPatternRows = 4096;

/**
 * Sums the cells of four columns over the rows that a pattern of pulses drives. For every eight rows a table holds what each of
 * the 256 patterns of pulses adds, so a sum is one look-up an eight rows, whatever the pulses and the cells (the "four
 * Russians" way, Arlazarov et al. 1970). Sums are of 32-bit floats, added in a fixed order: whole numbers below 2^24 are exact.
 */
export interface PatternSums {
  /** Rows / 8, rounded up. */
  readonly groups: number;
  /** Which rows are driven: 16 << (row & 7) is set in patterns[at * groups + (row >> 3)]. [capacity * groups] */
  readonly patterns: Uint16Array;
  /** Sum of each pattern and column: sums[at * lanes + lane]. [capacity * lanes] */
  readonly sums: Float32Array;
  /** A second result, for another property of the same cells. */
  readonly others: Float32Array;
  /** Builds the tables of four columns: values[starts[lane] + row]. A missing start is a column of zeros. */
  setCells(values: Float32Array, starts: readonly number[]): void;
  /** Sums the first `count` patterns (at least 1) into `sums` or `others`. */
  run(count: number, into: 'sums' | 'others'): void;
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

interface SumExports {
  fill(cells: number, tables: number, end: number): void;
  sum(patterns: number, end: number, tables: number, sums: number): void;
}

const modules = new Map<number, object | undefined>();

/**
 * Room for `capacity` patterns of `rows` rows. Runs in WebAssembly where the machine has its 128-bit vectors, else (or with
 * `portable`) in plain TypeScript; both give the same bits.
 */
export function patternSums(rows: number, capacity: number, portable = false): PatternSums {
  const groups = Math.ceil(rows / 8);
  const tableBytes = groups * 256 * lanes * 4;
  const cellBytes = groups * 8 * lanes * 4;
  const sumBytes = capacity * lanes * 4;
  const cellsAt = tableBytes;
  const sumsAt = cellsAt + cellBytes;
  const othersAt = sumsAt + sumBytes;
  const patternsAt = othersAt + sumBytes;
  const size = patternsAt + capacity * groups * 2;

  const module = portable ? undefined : compiled(groups);
  let buffer: ArrayBuffer;
  let kernel: SumExports;
  if (module && WebAssembly) {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(size / 65536) });
    buffer = memory.buffer;
    kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as SumExports;
  } else {
    buffer = new ArrayBuffer(Math.ceil(size / 4) * 4);
    kernel = portableKernel(buffer, groups);
  }
  const cells = new Float32Array(buffer, cellsAt, cellBytes / 4);
  return {
    groups,
    patterns: new Uint16Array(buffer, patternsAt, capacity * groups),
    sums: new Float32Array(buffer, sumsAt, capacity * lanes),
    others: new Float32Array(buffer, othersAt, capacity * lanes),
    setCells(values, starts) {
      cells.fill(0);
      for (let lane = 0; lane < starts.length; lane++) {
        for (let row = 0; row < rows; row++) cells[row * lanes + lane] = values[starts[lane] + row];
      }
      kernel.fill(cellsAt, 0, tableBytes);
    },
    run(count, into) {
      kernel.sum(patternsAt, patternsAt + count * groups * 2, 0, into === 'sums' ? sumsAt : othersAt);
    },
  };
}

function compiled(groups: number): object | undefined {
  if (!modules.has(groups)) {
    const known = typeof WebAssembly === 'undefined' ? undefined : WebAssembly;
    const bytes = patternSumModule(groups);
    modules.set(groups, known?.validate(bytes) ? new known.Module(bytes) : undefined);
  }
  return modules.get(groups);
}

/** The same two functions on the same memory in TypeScript. */
function portableKernel(buffer: ArrayBuffer, groups: number): SumExports {
  const floats = new Float32Array(buffer);
  const halves = new Uint16Array(buffer, 0, buffer.byteLength >> 1);
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
  };
}
