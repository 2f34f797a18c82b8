import type { CompiledModule } from '../tensor/compiled-module';
import { borrowKernel, type KernelExports, LANES, layOut, WORD } from './compiled-kernel';

/** How sums become codes in the kernel. */
export type Conversion =
  | { readonly kind: 'narrow' | 'wide'; readonly adcBits: number; readonly negativePlane: number }
  | {
      readonly kind: 'thresholds';
      readonly negativePlane: number;
      /** Least count of each code from 1 on, as far as counts reach. */
      readonly thresholds: Int32Array;
      /** Least count that is clipped. */
      readonly clipping: number;
    }
  | {
      readonly kind: 'table';
      readonly dacBits: number;
      readonly planeWeights: Int32Array;
      /** Code of each sum from `lowest` on, and 1 where it was clipped. */
      readonly codes: Int32Array;
      readonly clipped: Uint8Array;
      readonly lowest: number;
    };

/** Where input vectors come from: rows of a matrix, or the patches of a convolution. */
export type BlockInputs =
  | { readonly kind: 'matrix' }
  | {
      readonly kind: 'patches';
      readonly height: number;
      readonly width: number;
      readonly channels: number;
      readonly kernel: number;
      readonly stride: number;
      readonly padding: number;
      readonly paddingCode: number;
      readonly outHeight: number;
      readonly outWidth: number;
    };

/** A layer's blocks of vectors, for any thread. Arrays are shared. */
export interface BlockWork {
  readonly compiled: CompiledModule;
  readonly program: Int32Array;
  readonly conversion: Conversion;
  readonly source: BlockInputs;
  readonly inputs: Uint8Array | Int8Array;
  /** Length of an input vector. */
  readonly rows: number;
  readonly columns: number;
  readonly vectors: number;
  readonly planes: number;
  readonly storedBits: number;
  readonly signs: number;
  /** Bits of an output, or of a sum where a table converts. */
  readonly width: number;
  /** Vectors of a part; a multiple of a block. */
  readonly partVectors: number;
  /** [vectors, columns] */
  readonly outputs: Int32Array;
  /** By part: conversions clipped, and how often each sum was seen. [parts], [parts][sums] */
  readonly saturated: Float64Array;
  readonly histogram: Int32Array;
}

/** Addresses in the kernel's memory. */
interface Places {
  readonly program: number;
  readonly words: number;
  readonly source: number;
  readonly vectors: number;
  readonly outputs: number;
  readonly thresholds: number;
  readonly planeWeights: number;
  readonly codes: number;
  readonly clipped: number;
  readonly histogram: number;
  readonly pitch: number;
  /** From a plane's words to the next one's. */
  readonly planeBytes: number;
}

/** Runs the parts it takes, a block at a time. */
export function runBlocks(work: BlockWork, take: () => number): void {
  const kernel = borrowKernel(work.compiled);
  let places: Places | undefined;
  for (let part = take(); part >= 0; part = take()) {
    places ??= place(kernel, work);
    const end = Math.min(work.vectors, (part + 1) * work.partVectors);
    for (let first = part * work.partVectors; first < end; first += LANES) {
      const lanes = Math.min(LANES, end - first);
      fetchVectors(kernel, work, places, first, lanes);
      pack(kernel, work, places, lanes);
      work.saturated[part] += convertBlock(kernel, work, places, lanes);
      const outputs = new Int32Array(kernel.memory.buffer, places.outputs, lanes * work.columns);
      work.outputs.set(outputs, first * work.columns);
    }
    if (work.conversion.kind === 'table') {
      const { length } = work.conversion.codes;
      const seen = new Int32Array(kernel.memory.buffer, places.histogram, length);
      work.histogram.set(seen, part * length);
      seen.fill(0);
    }
  }
}

function place(kernel: KernelExports, work: BlockWork): Places {
  const { rows, columns, program, conversion } = work;
  const pitch = (rows + 15) & ~15;
  const planeBytes = (rows + 1) * WORD;
  const wordBytes = work.signs * work.storedBits * planeBytes;
  const table = conversion.kind === 'table' ? conversion : undefined;
  const entries = table?.codes.length ?? 0;
  const sizes = [
    program.byteLength,
    wordBytes,
    LANES * pitch,
    LANES * columns * 4,
    32 * 4,
    32 * 4,
    entries * 4,
    entries,
    entries * 4,
    sourceBytes(work),
  ];
  const [programAt, words, vectors, outputs, thresholds, planeWeights, codes, clipped, histogram, source] =
    layOut(kernel, sizes);
  const memory = new Uint8Array(kernel.memory.buffer);
  new Int32Array(kernel.memory.buffer, programAt, program.length).set(program);
  // The zero words, and the bytes between rows and pitch, which nothing writes later.
  memory.fill(0, words, words + wordBytes);
  memory.fill(0, vectors, vectors + LANES * pitch);
  if (conversion.kind === 'thresholds')
    new Int32Array(kernel.memory.buffer, thresholds, 32).set(conversion.thresholds);
  if (table) {
    new Int32Array(kernel.memory.buffer, planeWeights, table.planeWeights.length).set(table.planeWeights);
    new Int32Array(kernel.memory.buffer, codes, entries).set(table.codes);
    memory.set(table.clipped, clipped);
    memory.fill(0, histogram, histogram + entries * 4);
  }
  return {
    program: programAt,
    words,
    source,
    vectors,
    outputs,
    thresholds,
    planeWeights,
    codes,
    clipped,
    histogram,
    pitch,
    planeBytes,
  };
}

/** Pixel rows that the patches of positions first..last read, from all pictures one below the other. */
function pixelRows(source: Extract<BlockInputs, { kind: 'patches' }>, first: number, last: number) {
  const { height, kernel, stride, padding, outHeight, outWidth } = source;
  const positions = outHeight * outWidth;
  const rowOf = (position: number) => {
    const picture = Math.floor(position / positions);
    return [picture * height, Math.floor((position % positions) / outWidth) * stride - padding] as const;
  };
  const [above, top] = rowOf(first);
  const [before, bottom] = rowOf(last);
  return [
    above + Math.max(0, Math.min(top, height - 1)),
    before + Math.min(height, Math.max(1, bottom + kernel)),
  ];
}

/** Most bytes of pictures that a block reads: a block may begin anywhere in a row of positions. */
function sourceBytes({ source, vectors, inputs }: BlockWork): number {
  if (source.kind === 'matrix') return 0;
  let most = 0;
  for (let first = 0; first < vectors; first += LANES) {
    const [from, to] = pixelRows(source, first, Math.min(vectors, first + LANES) - 1);
    most = Math.max(most, to - from);
  }
  return Math.min(inputs.length, most * source.width * source.channels);
}

/** Lays out a block's input vectors as bytes [lanes, to a multiple of 16][pitch]. */
function fetchVectors(
  kernel: KernelExports,
  { source, inputs, rows }: BlockWork,
  { source: pictures, vectors, pitch }: Places,
  first: number,
  lanes: number,
): void {
  const memory = new Uint8Array(kernel.memory.buffer);
  const bytes = new Uint8Array(inputs.buffer, inputs.byteOffset, inputs.length);
  if (source.kind === 'matrix') {
    for (let lane = 0; lane < lanes; lane++)
      memory.set(bytes.subarray((first + lane) * rows, (first + lane + 1) * rows), vectors + lane * pitch);
    memory.fill(0, vectors + lanes * pitch, vectors + ((lanes + 15) & ~15) * pitch);
    return;
  }
  const [from, to] = pixelRows(source, first, first + lanes - 1);
  const line = source.width * source.channels;
  memory.set(bytes.subarray(from * line, to * line), pictures);
  kernel.gatherPatches(
    pictures,
    from,
    source.height,
    source.width,
    source.channels,
    source.kernel,
    source.stride,
    source.padding,
    source.paddingCode,
    source.outHeight,
    source.outWidth,
    first,
    lanes,
    vectors,
    pitch,
  );
}

function pack(kernel: KernelExports, work: BlockWork, places: Places, lanes: number): void {
  const { rows, signs, storedBits } = work;
  const { vectors, pitch, words, planeBytes } = places;
  for (let sign = 0; sign < signs; sign++) {
    const part = signs === 1 ? 0 : sign + 1;
    const to = words + sign * storedBits * planeBytes;
    kernel.packInputs(vectors, pitch, lanes, rows, part, storedBits, to, planeBytes);
  }
}

function convertBlock(kernel: KernelExports, work: BlockWork, places: Places, lanes: number): number {
  const { conversion, columns, planes, width } = work;
  const { program, words, planeBytes, outputs } = places;
  if (conversion.kind === 'thresholds') {
    const { negativePlane, thresholds, clipping } = conversion;
    const [at, codes] = [places.thresholds, thresholds.length];
    return kernel.convertByThresholds(
      program,
      words,
      planeBytes,
      columns,
      planes,
      negativePlane,
      at,
      codes,
      clipping,
      width,
      lanes,
      outputs,
    );
  }
  if (conversion.kind !== 'table') {
    const convert = conversion.kind === 'narrow' ? kernel.convertNarrow : kernel.convertWide;
    const { negativePlane, adcBits } = conversion;
    return convert(
      program,
      words,
      planeBytes,
      columns,
      planes,
      negativePlane,
      adcBits,
      width,
      lanes,
      outputs,
    );
  }
  new Int32Array(kernel.memory.buffer, outputs, lanes * columns).fill(0);
  const { planeWeights, codes, clipped, histogram } = places;
  return kernel.convertByTable(
    program,
    words,
    planeBytes,
    columns,
    planes,
    conversion.dacBits,
    work.storedBits,
    work.signs,
    planeWeights,
    codes,
    clipped,
    histogram,
    -conversion.lowest,
    width,
    lanes,
    outputs,
  );
}
