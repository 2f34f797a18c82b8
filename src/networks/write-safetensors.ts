import { replaceFile } from './replace-file';
import { type Dtype, elementCount, type TensorData } from './stored-tensor';

/** What can be written; the array's type gives the file's dtype. */
export interface WritableTensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
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
 * (else in the map's order), so that every tensor is aligned to its type. Throws InputError where it cannot be written.
 */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const ordered = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let offset = 0;
  for (const [name, tensor] of ordered) {
    requireWritable(name, tensor);
    const end = offset + tensor.data.byteLength;
    const dtype = DTYPE_OF[tensor.data.constructor.name];
    header[name] = { dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const bodies = ordered.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  replaceFile(path, [headerBytes(header), ...bodies]);
}
