/**
 * WebAssembly of the loops of `analogKernel`, written instruction by instruction: so short that a compiler and a build step
 * would cost more than they give, and unrolled for the number of groups of eight rows. It imports env.memory; tables are
 * 256 vectors of four floats a group. Opcodes: WebAssembly Core Specification 2.0 with 128-bit vectors.
 *
 * fill(cells, tables, end): table[2^k + j] = table[j] + cell k, for j below 2^k; table[0] stays 0.
 * sum(patterns, end, tables, sums): adds the tables' entries of even groups and of odd groups in turn, then the two.
 * convert(sums, pulses, outputs, end, factors, factorsEnd, levels, last, step, slope, shift, offset, below, above, lowest): see
 * `convertAndAdd` in analog-kernel.ts, whose arithmetic it repeats operation by operation.
 */
export function analogKernelModule(groups: number): Uint8Array {
  const types = vector([
    functionType(new Array(3).fill(i32)),
    functionType(new Array(4).fill(i32)),
    functionType([...new Array(8).fill(i32), ...new Array(7).fill(f64)], [i32]),
  ]);
  const imports = vector([[...name('env'), ...name('memory'), 2, 0, 1]]);
  const functions = vector([[0], [1], [2]]);
  const exports = vector([
    [...name('fill'), 0, 0],
    [...name('sum'), 0, 1],
    [...name('convert'), 0, 2],
  ]);
  const code = vector([sized(fillBody()), sized(sumBody(groups)), sized(convertBody())]);
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
    ...[...get(outputs), ...get(output), 0x39, 3, 0, ...advance(outputs, 8)], // f64.store
    ...repeatWhileBelow(outputs, end),
    ...[...get(saturated), endBlock],
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
