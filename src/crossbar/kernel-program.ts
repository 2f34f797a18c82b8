import { WORD } from './compiled-kernel';
import type { MappedLayer } from './layer-job';

/**
 * A layer's ones in the order in which the kernel visits them (kernel/kernel.assemblyscript has the two forms). It does
 * not depend on the inputs, so it is made once a layer.
 */
export interface KernelProgram {
  readonly words: Int32Array;
  /** Ones visited for an input plane: what a block costs. */
  readonly ones: number;
}

/** Most ones that a group's six count bits hold, and most lists whose clipped conversions its four count bits hold. */
const GROUP_ONES = 63;
const GROUP_LISTS = 15;
/** Most ones that a list's eight count bits hold. */
const LIST_ONES = 255;

/** Whether a program holds a converted column. */
export type Reads = (tile: number, channel: number, readout: number) => boolean;

/** For sums that are plain counts of ones: lists of more than `highest` ones can clip, the others are merged. */
export function countingProgram(layer: MappedLayer, highest: number, reads: Reads): KernelProgram {
  const { columns, tiles, encoding, flips } = layer;
  const slots = encoding.polarities * encoding.planes;
  const writer = createWriter(layer);
  for (let column = 0; column < columns; column++) {
    writer.column(column);
    const groups = writer.reserve();
    for (let slot = 0; slot < slots; slot++) {
      const weight = encoding.weights[slot];
      for (const flipped of flips ? [0, 1] : [0]) {
        const free: number[] = [];
        const clipping: number[][] = [];
        for (let tile = 0; tile + 1 < tiles.length; tile++) {
          if (flips && flips[tile * columns + column] !== flipped) continue;
          if (!reads(tile, column, slot)) continue;
          const list = writer.ones(slot, 0, tiles[tile], tiles[tile + 1]);
          if (list.length > highest) clipping.push(list);
          else for (const row of list) free.push(row);
        }
        // Lists of like length in a row let the processor guess where each ends.
        clipping.sort((a, b) => a.length - b.length);
        const head = {
          shift: Math.log2(Math.abs(weight)),
          subtracted: Number(weight < 0 !== (flipped === 1)),
        };
        writer.add(groups, writeGroups(writer, head, free, clipping, highest));
      }
    }
  }
  return writer.finish();
}

function writeGroups(
  writer: Writer,
  { shift, subtracted }: { shift: number; subtracted: number },
  free: readonly number[],
  clipping: readonly (readonly number[])[],
  highest: number,
): number {
  let groups = 0;
  for (let row = 0, list = 0; row < free.length || list < clipping.length; groups++) {
    const merged = free.slice(row, row + GROUP_ONES);
    row += merged.length;
    // A list with more room than a group has goes alone; only the wide kernel has such.
    const room = Math.floor((GROUP_ONES - merged.length) / highest);
    const most = merged.length === 0 ? Math.max(1, room) : room;
    const lists = clipping.slice(list, list + Math.min(GROUP_LISTS, most));
    list += lists.length;
    writer.put(shift, subtracted, Math.ceil(merged.length / 4), lists.length);
    writer.rows(merged);
    for (const rows of lists) {
      writer.put(Math.ceil(rows.length / 4));
      writer.rows(rows);
    }
  }
  return groups;
}

/** For any cells, pulses and signs: every conversion with its weight and the lists that add to its sum. */
export function tableProgram(layer: MappedLayer, reads: Reads): KernelProgram {
  const { columns, tiles, encoding, flips, readouts } = layer;
  const writer = createWriter(layer);
  for (let column = 0; column < columns; column++) {
    writer.column(column);
    const conversions = writer.reserve();
    for (let tile = 0; tile + 1 < tiles.length; tile++) {
      const sign = flips?.[tile * columns + column] ? -1 : 1;
      for (const [readout, { plus, minus, weight }] of readouts.entries()) {
        if (!reads(tile, column, readout)) continue;
        const lists: { shift: number; subtracted: number; rows: readonly number[] }[] = [];
        const collect = (slot: number, subtracted: number) => {
          for (let shift = 0; shift < encoding.cellBits; shift++) {
            const rows = writer.ones(slot, shift, tiles[tile], tiles[tile + 1]);
            for (let at = 0; at < rows.length; at += LIST_ONES)
              lists.push({ shift, subtracted, rows: rows.slice(at, at + LIST_ONES) });
          }
        };
        collect(plus, 0);
        if (minus >= 0) collect(minus, 1);
        if (lists.length === 0) continue;
        writer.add(conversions, 1);
        writer.put(sign * weight, lists.length);
        for (const { shift, subtracted, rows } of lists) {
          writer.put(shift, subtracted, Math.ceil(rows.length / 4));
          writer.rows(rows);
        }
      }
    }
  }
  return writer.finish();
}

interface Writer {
  /** Makes `ones` tell of this output channel. */
  column(column: number): void;
  /** Rows from..to-1 whose cell in `slot` has its bit `bit` set, as where their words stand; none where no code uses the column. */
  ones(slot: number, bit: number, from: number, to: number): number[];
  put(...numbers: number[]): void;
  /** Rows, padded to a multiple of four with the zero word. */
  rows(rows: readonly number[]): void;
  /** A place to be counted up. */
  reserve(): number;
  add(place: number, count: number): void;
  finish(): KernelProgram;
}

function createWriter(layer: MappedLayer): Writer {
  const { codes, cells, rows, columns, wiring, inputRows, encoding } = layer;
  const { digits } = encoding;
  const slots = encoding.polarities * encoding.planes;
  const zero = inputRows * WORD;
  // Where the digits of each row stand: those the code asks for, and those the cells hold.
  const asked = new Int32Array(rows);
  const held = new Int32Array(rows);
  let elements = wiring[0];
  let words = new Int32Array(1024);
  let length = 0;
  let visited = 0;
  const put = (value: number) => {
    if (length === words.length) {
      const larger = new Int32Array(2 * length);
      larger.set(words);
      words = larger;
    }
    words[length++] = value;
  };
  return {
    column: (column) => {
      for (let row = 0; row < rows; row++) {
        const at = row * columns + column;
        asked[row] = (codes[at] + 128) * slots;
        held[row] = cells ? at * slots : asked[row];
      }
      elements = wiring[Math.floor((column * wiring.length) / columns)];
    },
    ones: (slot, bit, from, to) => {
      const list: number[] = [];
      let used = !cells;
      for (let row = from; row < to && !used; row++) used = digits[asked[row] + slot] !== 0;
      if (!used) return list;
      const values = cells ?? digits;
      for (let row = from; row < to; row++)
        if ((values[held[row] + slot] >> bit) & 1) list.push(elements[row] * WORD);
      return list;
    },
    put: (...numbers) => numbers.forEach(put),
    rows: (list) => {
      visited += list.length;
      for (const row of list) put(row);
      for (let padding = list.length; padding % 4 !== 0; padding++) put(zero);
    },
    reserve: () => {
      put(0);
      return length - 1;
    },
    add: (place, count) => {
      words[place] += count;
    },
    finish: () => ({ words: words.slice(0, length), ones: visited }),
  };
}
