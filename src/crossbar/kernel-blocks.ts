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

/** Converted columns of one step. */
export interface Reading {
  readonly program: Int32Array;
  readonly conversion: Conversion;
  /** What a code counts for. */
  readonly step: number;
  /** Bits of an output in codes, or of a sum where a table converts. */
  readonly width: number;
}

/** A layer's blocks of vectors, for any thread. Arrays are shared. */
export interface BlockWork {
  readonly compiled: CompiledModule;
  /** All converted columns of the layer. */
  readonly readings: readonly Reading[];
  readonly source: BlockInputs;
  readonly inputs: Uint8Array | Int8Array;
  /** Length of an input vector. */
  readonly rows: number;
  readonly columns: number;
  readonly vectors: number;
  readonly planes: number;
  readonly storedBits: number;
  readonly signs: number;
  /** Vectors of a part; a multiple of a block. */
  readonly partVectors: number;
  /** [vectors, columns], zeros at first; codes times steps are added. Whole numbers only where all steps are. */
  readonly outputs: Int32Array | Float64Array;
  /** By part: conversions clipped, and how often each sum was seen. [parts], [parts][sums] */
  readonly saturated: Float64Array;
  readonly histogram: Int32Array;
}

/** Addresses in the kernel's memory. */
interface Places {
  readonly readings: readonly ReadingPlaces[];
  readonly words: number;
  readonly source: number;
  readonly vectors: number;
  readonly outputs: number;
  readonly histogram: number;
  readonly pitch: number;
  /** From a plane's words to the next one's. */
  readonly planeBytes: number;
}

interface ReadingPlaces {
  readonly program: number;
  readonly thresholds: number;
  readonly planeWeights: number;
  readonly codes: number;
  readonly clipped: number;
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
      const codes = new Int32Array(kernel.memory.buffer, places.outputs, lanes * work.columns);
      const outputs = work.outputs.subarray(first * work.columns);
      for (const [i, reading] of work.readings.entries()) {
        work.saturated[part] += convertBlock(kernel, work, reading, places, places.readings[i], lanes);
        addCodes(outputs, codes, reading.step);
      }
    }
    const entries = tableEntries(work);
    const seen = new Int32Array(kernel.memory.buffer, places.histogram, entries);
    work.histogram.set(seen, part * entries);
    seen.fill(0);
  }
}

function addCodes(outputs: Int32Array | Float64Array, codes: Int32Array, step: number): void {
  for (let at = 0; at < codes.length; at++) outputs[at] += step * codes[at];
}

/** Sums that a table of the layer converts; 0 where none does. */
export function tableEntries({ readings }: Pick<BlockWork, 'readings'>): number {
  return Math.max(0, ...readings.map(({ conversion }) => tableOf(conversion)?.codes.length ?? 0));
}

function tableOf(conversion: Conversion) {
  return conversion.kind === 'table' ? conversion : undefined;
}

function place(kernel: KernelExports, work: BlockWork): Places {
  const { rows, columns, readings } = work;
  const pitch = (rows + 15) & ~15;
  const planeBytes = (rows + 1) * WORD;
  const wordBytes = work.signs * work.storedBits * planeBytes;
  const histogramBytes = tableEntries(work) * 4;
  const sizes = [wordBytes, LANES * pitch, LANES * columns * 4, histogramBytes, sourceBytes(work)];
  const readingSizes = readings.map(({ program, conversion }) => {
    const entries = tableOf(conversion)?.codes.length ?? 0;
    return [program.byteLength, 32 * 4, 32 * 4, entries * 4, entries];
  });
  const [words, vectors, outputs, histogram, source, ...rest] = layOut(kernel, [
    ...sizes,
    ...readingSizes.flat(),
  ]);
  const memory = new Uint8Array(kernel.memory.buffer);
  // The zero words, and the bytes between rows and pitch, which nothing writes later.
  memory.fill(0, words, words + wordBytes);
  memory.fill(0, vectors, vectors + LANES * pitch);
  memory.fill(0, histogram, histogram + histogramBytes);
  const placed = readings.map((reading, i) => {
    const [program, thresholds, planeWeights, codes, clipped] = rest.slice(5 * i);
    const places = { program, thresholds, planeWeights, codes, clipped };
    placeReading(kernel, reading, places);
    return places;
  });
  return { readings: placed, words, source, vectors, outputs, histogram, pitch, planeBytes };
}

function placeReading(kernel: KernelExports, { program, conversion }: Reading, places: ReadingPlaces): void {
  const { buffer } = kernel.memory;
  const put = (values: Int32Array, at: number) => new Int32Array(buffer, at, values.length).set(values);
  put(program, places.program);
  if (conversion.kind === 'thresholds') put(conversion.thresholds, places.thresholds);
  if (conversion.kind !== 'table') return;
  put(conversion.planeWeights, places.planeWeights);
  put(conversion.codes, places.codes);
  new Uint8Array(buffer).set(conversion.clipped, places.clipped);
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

/** Writes the codes of a reading's columns, weighted and added up, to the outputs; returns how many conversions clipped. */
function convertBlock(
  kernel: KernelExports,
  work: BlockWork,
  { conversion, width }: Reading,
  { words, planeBytes, outputs, histogram }: Places,
  own: ReadingPlaces,
  lanes: number,
): number {
  const { columns, planes } = work;
  const { program } = own;
  if (conversion.kind === 'thresholds') {
    const { negativePlane, thresholds, clipping } = conversion;
    const [at, codes] = [own.thresholds, thresholds.length];
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
  const { planeWeights, codes, clipped } = own;
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
