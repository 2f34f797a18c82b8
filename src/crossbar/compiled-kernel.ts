import { type CompiledModule, instantiate, moduleSlot } from '../tensor/compiled-module';

const slot = moduleSlot();

/**
 * Makes crossbars run on the compiled kernel given, or the one whose bytes a function gives when it is first needed.
 * Without one they run on the reference engine, circuits on loops in plain TypeScript: the same to the bit, slowly.
 */
export const useCompiledKernel = slot.use;

/** The compiled kernel in use, if any. */
export const compiledKernel = slot.get;

/** Vectors of a block. */
export const LANES = 128;
/** Bytes of a word: a bit of each vector of a block. */
export const WORD = 16;

/** Where the kernel's arrays lie. */
export interface KernelMemory {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  firstFree(): number;
}

/** The kernel's functions: arrays are addresses in its memory. See kernel/kernel.assemblyscript. */
export interface KernelExports extends KernelMemory {
  packInputs(
    inputs: number,
    pitch: number,
    lanes: number,
    rows: number,
    part: number,
    planes: number,
    words: number,
    planeBytes: number,
  ): void;
  gatherPatches(
    pictures: number,
    firstRow: number,
    height: number,
    width: number,
    channels: number,
    kernel: number,
    stride: number,
    padding: number,
    paddingCode: number,
    outHeight: number,
    outWidth: number,
    first: number,
    lanes: number,
    patches: number,
    pitch: number,
  ): void;
  convertNarrow: ConvertCounts;
  convertWide: ConvertCounts;
  convertByThresholds(
    program: number,
    words: number,
    planeBytes: number,
    columns: number,
    planes: number,
    negativePlane: number,
    thresholds: number,
    codes: number,
    clipping: number,
    width: number,
    lanes: number,
    outputs: number,
  ): number;
  convertByTable(
    program: number,
    words: number,
    planeBytes: number,
    columns: number,
    planes: number,
    dacBits: number,
    storedBits: number,
    signs: number,
    planeWeights: number,
    table: number,
    clipped: number,
    histogram: number,
    zero: number,
    width: number,
    lanes: number,
    outputs: number,
  ): number;
}

export type ConvertCounts = (
  program: number,
  words: number,
  planeBytes: number,
  columns: number,
  planes: number,
  negativePlane: number,
  adcBits: number,
  width: number,
  lanes: number,
  outputs: number,
) => number;

/** Its functions for circuits, see kernel/analog.assemblyscript. */
export interface AnalogExports extends KernelMemory {
  fillTables(cells: number, tables: number, end: number): void;
  sumPatterns(patterns: number, end: number, tables: number, sums: number, groups: number): void;
  convertColumn(
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
  /** Not in plain TypeScript. */
  convertLanes?(
    sums: number,
    pulses: number,
    outputs: number,
    end: number,
    factors: number,
    factorsEnd: number,
    constants: number,
  ): void;
  /** Not in plain TypeScript. */
  addNoise?(
    sums: number,
    variances: number,
    inputVariance: number,
    streams: number,
    edges: number,
    inner: number,
    planes: number,
    done: number,
    draws: number,
  ): number;
}

const kept = new Map<number, KernelExports>();

/** An instance of the kernel for this thread; the same one is lent again and again. */
export function borrowKernel(compiled: CompiledModule): KernelExports {
  let kernel = kept.get(compiled.id);
  if (!kernel) {
    kernel = instantiate<KernelExports>(compiled, 'the compiled crossbar kernel');
    kept.set(compiled.id, kernel);
  }
  return kernel;
}

/** Lays out arrays of `sizes` bytes one after the other in the kernel's memory and returns their addresses. */
export function layOut(kernel: KernelMemory, sizes: readonly number[]): number[] {
  let next = (kernel.firstFree() + 63) & ~63;
  const addresses = sizes.map((size) => {
    const address = next;
    next += (size + 63) & ~63;
    return address;
  });
  const missing = next - kernel.memory.buffer.byteLength;
  if (missing > 0 && kernel.memory.grow(Math.ceil(missing / 65536)) < 0)
    throw new Error(`the compiled crossbar kernel needs ${next} bytes, more than there are`);
  return addresses;
}
