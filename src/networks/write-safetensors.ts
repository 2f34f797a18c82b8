import { InputError } from '../errors';
import { narrowHalf } from './half-precision';
import { replaceFile } from './replace-file';
import { type Dtype, elementCount, type StoredTensor, type TensorData } from './stored-tensor';

/** What can be written; the array's type gives the file's dtype. */
export interface WritableTensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
  /** Float32 numbers are stored as F16. */
  readonly half?: boolean;
}

const DTYPE_OF: Readonly<Record<string, Dtype>> = {
  Float64Array: 'F64',
  Float32Array: 'F32',
  BigInt64Array: 'I64',
  BigUint64Array: 'U64',
  Int32Array: 'I32',
  Uint32Array: 'U32',
  Int16Array: 'I16',
  Uint16Array: 'U16',
  Int8Array: 'I8',
  Uint8Array: 'U8',
};

function requireWritable(name: string, { shape, data }: WritableTensor): void {
  if (name === '__metadata__') throw new Error(`a tensor cannot be named '${name}'`);
  if (elementCount(shape) !== data.length)
    throw new Error(`tensor '${name}': shape [${shape}] does not hold ${data.length} numbers`);
}

/** As the file has it. */
function stored(name: string, tensor: WritableTensor): StoredTensor {
  requireWritable(name, tensor);
  const { shape, data, half } = tensor;
  if (!half) return { shape, data, dtype: DTYPE_OF[data.constructor.name] };
  const bits = narrowHalf(data as Float32Array);
  if (bits.some((each) => (each & 0x7c00) === 0x7c00))
    throw new InputError(`tensor '${name}' holds numbers that float16 has no room for`);
  return { shape, data: bits, dtype: 'F16' };
}

/** Length in 8 bytes, then the JSON, padded with spaces so that the data starts at a multiple of 8. */
function headerBytes(header: object): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

/**
 * Writes `tensors` and `metadata` to the safetensors file `path`, whole or not at all. Wider element types come first
 * (else in the map's order), so that every tensor is aligned to its type. Throws InputError where it cannot be written, or
 * a number is too large for F16.
 */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const ordered = [...tensors]
    .map(([name, tensor]) => [name, stored(name, tensor)] as const)
    .sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let offset = 0;
  for (const [name, tensor] of ordered) {
    const end = offset + tensor.data.byteLength;
    header[name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const bodies = ordered.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  replaceFile(path, [headerBytes(header), ...bodies]);
}
