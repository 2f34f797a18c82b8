/**
 * WebAssembly of the two loops of `patternSums`, written instruction by instruction: so short that a compiler and a build step
 * would cost more than they give, and unrolled for the number of groups of eight rows. It imports env.memory; tables are
 * 256 vectors of four floats a group. Opcodes: WebAssembly Core Specification 2.0 with 128-bit vectors.
 *
 * fill(cells, tables, end): table[2^k + j] = table[j] + cell k, for j below 2^k; table[0] stays 0.
 * sum(patterns, end, tables, sums): adds the tables' entries of even groups and of odd groups in turn, then the two.
 */
export function patternSumModule(groups: number): Uint8Array {
  const types = vector([functionType(3), functionType(4)]);
  const imports = vector([[...name('env'), ...name('memory'), 2, 0, 1]]);
  const functions = vector([[0], [1]]);
  const exports = vector([
    [...name('fill'), 0, 0],
    [...name('sum'), 0, 1],
  ]);
  const code = vector([sized(fillBody()), sized(sumBody(groups))]);
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

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const loadVector = (offset: number) => [0xfd, 0x00, 4, ...unsigned(offset)];
const storeVector = (offset: number) => [0xfd, 0x0b, 4, ...unsigned(offset)];
const advance = (local: number, by: number) => [...get(local), 0x41, ...signed(by), i32Add, ...set(local)];
/** i32.lt_u, br_if to the loop, end of the loop. */
const repeatWhileBelow = (local: number, end: number) => [...get(local), ...get(end), 0x49, 0x0d, 0, 0x0b];

const functionType = (parameters: number) => [0x60, parameters, ...new Array(parameters).fill(i32), 0];
const sized = (bytes: readonly number[]) => [...unsigned(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]) => [id, ...sized(bytes)];
const vector = (entries: readonly (readonly number[])[]) => [...unsigned(entries.length), ...entries.flat()];
const name = (text: string) => sized(Array.from(text, (character) => character.charCodeAt(0)));

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)];
}
