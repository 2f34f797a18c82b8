/**
 * WebAssembly of the loops of `analogKernel`, written instruction by instruction: so short that a compiler and a build step
 * would cost more than they give, and unrolled for the number of groups of eight rows. It imports env.memory; tables are
 * 256 vectors of four floats a group. Opcodes: WebAssembly Core Specification 2.0 with 128-bit vectors.
 *
 * fill(cells, tables, end): table[2^k + j] = table[j] + cell k, for j below 2^k; table[0] stays 0.
 * sum(patterns, end, tables, sums): adds the tables' entries of even groups and of odd groups in turn, then the two.
 * convert(sums, pulses, outputs, end, factors, factorsEnd, levels, last, step, slope, shift, offset, below, above, lowest): see
 * the portable one in analog-kernel.ts, whose arithmetic it repeats operation by operation.
 * convertLanes(sums, pulses, outputs, end, factors, factorsEnd, constants): the same for four columns at once. It takes
 * transition levels in units of the sums, as 32-bit floats, and guesses that are at most one off.
 */
export function analogKernelModule(groups: number): Uint8Array {
  const types = vector([
    functionType(new Array(3).fill(i32)),
    functionType(new Array(4).fill(i32)),
    functionType([...new Array(8).fill(i32), ...new Array(7).fill(f64)], [i32]),
    functionType(new Array(7).fill(i32)),
  ]);
  const imports = vector([[...name('env'), ...name('memory'), 2, 0, 1]]);
  const functions = vector([[0], [1], [2], [3]]);
  const exports = vector([
    [...name('fill'), 0, 0],
    [...name('sum'), 0, 1],
    [...name('convert'), 0, 2],
    [...name('convertLanes'), 0, 3],
  ]);
  const bodies = [fillBody(), sumBody(groups), convertBody(), convertLanesBody()];
  const code = vector(bodies.map(sized));
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, imports),
    ...section(3, functions),
    ...section(7, exports),
    ...section(10, code),
  ]);
}

const i32 = 0x7f;
const f64 = 0x7c;
const v128 = 0x7b;
const i32Add = 0x6a;
const addFloats = [0xfd, 0xe4, 0x01];
const entryBytes = 16;
/** Outputs of four columns lie together. */
const outputBytes = 32;
const tableBytes = 256 * entryBytes;

function fillBody(): number[] {
  const [cells, tables, end, cell] = [0, 1, 2, 3];
  const code = [1, 1, v128, 0x03, 0x40]; // one local vector; loop
  for (let bit = 0; bit < 8; bit++) {
    code.push(...get(cells), ...loadVector(bit * entryBytes), ...set(cell));
    for (let entry = 0; entry < 1 << bit; entry++) {
      code.push(
        ...get(tables),
        ...get(tables),
        ...loadVector(entry * entryBytes),
        ...get(cell),
        ...addFloats,
      );
      code.push(...storeVector(((1 << bit) + entry) * entryBytes));
    }
  }
  code.push(...advance(cells, 8 * entryBytes), ...advance(tables, tableBytes));
  return [...code, ...repeatWhileBelow(tables, end), 0x0b];
}

function sumBody(groups: number): number[] {
  const [patterns, end, tables, sums] = [0, 1, 2, 3];
  const entry = (group: number) => [
    ...get(tables),
    ...get(patterns),
    ...[0x2f, 1, ...unsigned(2 * group)], // i32.load16_u
    i32Add,
    ...loadVector(group * tableBytes),
  ];
  const chain = (first: number) => {
    const code = entry(first);
    for (let group = first + 2; group < groups; group += 2) code.push(...entry(group), ...addFloats);
    return code;
  };
  const code = [0, 0x03, 0x40, ...get(sums), ...chain(0)]; // no locals; loop
  if (groups > 1) code.push(...chain(1), ...addFloats);
  code.push(...storeVector(0), ...advance(sums, entryBytes), ...advance(patterns, 2 * groups));
  return [...code, ...repeatWhileBelow(patterns, end), 0x0b];
}

function convertBody(): number[] {
  const [sums, pulses, outputs, end, factors, factorsEnd, levels] = [0, 1, 2, 3, 4, 5, 6];
  const [last, step, slope, shift, offset, below, above, lowest] = [7, 8, 9, 10, 11, 12, 13, 14];
  const [saturated, at, factor, output, input] = [15, 16, 17, 18, 19];
  const loop = [0x03, 0x40];
  const endBlock = 0x0b;
  const load = (bytes = 0) => [0x2b, 3, bytes];
  const [add, subtract, multiply, divide] = [0xa0, 0xa1, 0xa2, 0xa3];
  const [floor, less, notLess] = [0x9c, 0x63, 0x66];
  const i32Multiply = 0x6c;
  const reaches = [...get(input), ...get(at), ...load(8), notLess];
  const misses = [...get(input), ...get(at), ...load(), less];
  /** Once without a branch, since whole sums often meet ties, which no branch predictor foresees; then as often as it takes. */
  const whileTrue = (condition: number[], by: number) => [
    ...[...get(at), ...condition, 0x41, ...signed(by), i32Multiply, i32Add, ...set(at)],
    ...loop,
    ...condition,
    ...[0x04, 0x40], // if
    ...advance(at, by),
    ...[0x0c, 1], // br to the loop
    endBlock,
    endBlock,
  ];
  return [
    ...[2, 3, i32, 2, f64], // locals
    ...loop,
    ...[...get(outputs), ...load(), ...set(output)],
    ...[...get(factors), ...set(factor)],
    ...loop,
    ...[...get(sums), ...load(), ...get(step), divide, ...set(input)],
    ...[...get(saturated), ...get(input), ...get(below), less, ...get(input), ...get(above), notLess],
    ...[0x72, i32Add, ...set(saturated)], // i32.or
    ...[...get(input), ...get(slope), multiply, ...get(shift), add, floor, 0xfc, 2, ...set(at)], // i32.trunc_sat_f64_s
    ...[...get(at), 0x41, 0, ...get(at), 0x41, 0, 0x4a, 0x1b, ...set(at)], // i32.gt_s, select: at least 0
    ...[...get(at), ...get(last), ...get(at), ...get(last), 0x48, 0x1b], // i32.lt_s, select: at most last
    ...[0x41, 3, 0x74, ...get(levels), i32Add, ...set(at)], // i32.shl
    ...whileTrue(reaches, 8),
    ...whileTrue(misses, -8),
    ...[...get(output), ...get(factor), ...load()],
    ...[...get(at), ...get(levels), 0x6b, 0x41, 3, 0x75, 0xb7], // i32.sub, shr_s 3, f64.convert_i32_s
    ...[...get(lowest), add, ...get(step), multiply],
    ...[...get(offset), ...get(pulses), ...load(), multiply, subtract],
    ...[multiply, add, ...set(output)],
    ...[...advance(sums, 8), ...advance(pulses, 8), ...advance(factor, 8)],
    ...repeatWhileBelow(factor, factorsEnd),
    ...[...get(outputs), ...get(output), 0x39, 3, 0, ...advance(outputs, outputBytes)], // f64.store
    ...repeatWhileBelow(outputs, end),
    ...[...get(saturated), endBlock],
  ];
}

/** Bytes from the start of `constants`, each a vector (steps and offsets two). */
export const laneConstants = {
  slope: 0,
  shift: 16,
  last: 32,
  below: 48,
  above: 64,
  lowest: 80,
  step: 96,
  offset: 128,
  /** Address of each lane's transition levels. */
  levels: 160,
  /** Counted up. */
  saturated: 176,
  size: 192,
} as const;

function convertLanesBody(): number[] {
  const [sums, pulses, outputs, end, factors, factorsEnd, constants, factor] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [slope, shift, last, below, above, lowest, levels, saturated] = [8, 9, 10, 11, 12, 13, 14, 15];
  const [step, offset, output] = [16, 18, 20]; // lanes 0 and 1, then 2 and 3
  const [sum, at, low, high, pulse] = [22, 23, 24, 25, 26];
  const simd = (...code: number[]) => [0xfd, ...code];
  const loop = [0x03, 0x40];
  const [addI, subtractI, addF, multiplyF] = [simd(0xae, 1), simd(0xb1, 1), simd(0xe4, 1), simd(0xe6, 1)];
  const [addD, subtractD, multiplyD] = [simd(0xf0, 1), simd(0xf1, 1), simd(0xf2, 1)];
  const [lessF, notLessF] = [simd(0x43), simd(0x46)];
  const zero = simd(0x0c, ...new Array(16).fill(0));
  const constant = (local: number, bytes: number) => [...get(constants), ...loadVector(bytes), ...set(local)];
  /** Picks 32-bit lanes out of two vectors. */
  const shuffle = (...lanes: number[]) =>
    simd(0x0d, ...lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]));
  const address = (lane: number) => [...get(pulse), ...simd(0x1b, lane)];
  const half = (part: number, codes: number[]) => [
    ...[...get(output + part), ...get(factor), ...loadVector(16 * part)],
    ...[...codes, ...simd(0xfe, 1), ...get(step + part), ...multiplyD], // f64x2.convert_low_i32x4_s
    ...[...get(offset + part), ...get(pulse), ...multiplyD, ...subtractD],
    ...[...multiplyD, ...addD, ...set(output + part)],
  ];
  return [
    ...[2, 1, i32, 19, v128], // locals
    ...constant(slope, laneConstants.slope),
    ...constant(shift, laneConstants.shift),
    ...constant(last, laneConstants.last),
    ...constant(below, laneConstants.below),
    ...constant(above, laneConstants.above),
    ...constant(lowest, laneConstants.lowest),
    ...constant(levels, laneConstants.levels),
    ...constant(saturated, laneConstants.saturated),
    ...constant(step, laneConstants.step),
    ...constant(step + 1, laneConstants.step + 16),
    ...constant(offset, laneConstants.offset),
    ...constant(offset + 1, laneConstants.offset + 16),
    ...loop,
    ...[...get(outputs), ...loadVector(0), ...set(output)],
    ...[...get(outputs), ...loadVector(16), ...set(output + 1)],
    ...[...get(factors), ...set(factor)],
    ...loop,
    ...[...get(sums), ...loadVector(0), ...set(sum)],
    ...[...get(sum), ...get(slope), ...multiplyF, ...get(shift), ...addF],
    ...[...simd(0x68), ...simd(0xf8, 1)], // f32x4.floor, i32x4.trunc_sat_f32x4_s
    ...[...zero, ...simd(0xb8, 1), ...get(last), ...simd(0xb6, 1), ...set(at)], // i32x4.max_s, min_s
    ...[...get(at), 0x41, 2, ...simd(0xab, 1), ...get(levels), ...addI, ...set(pulse)], // i32x4.shl: addresses
    // v128.load64_zero and load64_lane: a level and the next, of two lanes each.
    ...[...address(1), ...address(0), ...simd(0x5d, 2, 0), ...simd(0x57, 2, 0, 1), ...set(low)],
    ...[...address(3), ...address(2), ...simd(0x5d, 2, 0), ...simd(0x57, 2, 0, 1), ...set(high)],
    ...[
      ...get(at),
      ...get(sum),
      ...get(low),
      ...get(high),
      ...shuffle(1, 3, 5, 7),
      ...notLessF,
      ...subtractI,
    ],
    ...[...get(sum), ...get(low), ...get(high), ...shuffle(0, 2, 4, 6), ...lessF, ...addI],
    ...[...get(lowest), ...addI, ...set(at)],
    ...[...get(saturated), ...get(sum), ...get(below), ...lessF, ...get(sum), ...get(above), ...notLessF],
    ...[...simd(0x50), ...subtractI, ...set(saturated)], // v128.or
    ...[...get(pulses), ...simd(0x0a, 3, 0), ...set(pulse)], // v128.load64_splat
    ...half(0, get(at)),
    ...half(1, [...get(at), ...get(at), ...shuffle(2, 3, 2, 3)]),
    ...[...advance(sums, entryBytes), ...advance(pulses, 8), ...advance(factor, outputBytes)],
    ...repeatWhileBelow(factor, factorsEnd),
    ...[...get(outputs), ...get(output), ...storeVector(0)],
    ...[...get(outputs), ...get(output + 1), ...storeVector(16)],
    ...advance(outputs, outputBytes),
    ...repeatWhileBelow(outputs, end),
    ...[...get(constants), ...get(saturated), ...storeVector(laneConstants.saturated)],
    0x0b,
  ];
}

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const loadVector = (offset: number) => [0xfd, 0x00, 4, ...unsigned(offset)];
const storeVector = (offset: number) => [0xfd, 0x0b, 4, ...unsigned(offset)];
const advance = (local: number, by: number) => [...get(local), 0x41, ...signed(by), i32Add, ...set(local)];
/** i32.lt_u, br_if to the loop, end of the loop. */
const repeatWhileBelow = (local: number, end: number) => [...get(local), ...get(end), 0x49, 0x0d, 0, 0x0b];

const functionType = (parameters: readonly number[], results: readonly number[] = []) => [
  0x60,
  ...sized(parameters),
  ...sized(results),
];
const sized = (bytes: readonly number[]) => [...unsigned(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]) => [id, ...sized(bytes)];
const vector = (entries: readonly (readonly number[])[]) => [...unsigned(entries.length), ...entries.flat()];
const name = (text: string) => sized(Array.from(text, (character) => character.charCodeAt(0)));

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
