import { widenHalf } from './half-precision';

/** Numbers of a tensor in a file. F16 and BF16 are widened to float32, BOOL is 0 or 1. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A tensor as a file has it: row-major, `dtype` named as safetensors names it. */
export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export type Dtype = keyof typeof DTYPES;

/** A bfloat16 is the upper half of a float32. */
function widenBfloat16(buffer: ArrayBuffer): Float32Array {
  const bits = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
  return new Float32Array(bits.buffer);
}

/** Size of one element in a file, and its numbers from little-endian bytes. */
export const DTYPES = {
  F64: { bytes: 8, read: (b: ArrayBuffer): TensorData => new Float64Array(b) },
  F32: { bytes: 4, read: (b: ArrayBuffer): TensorData => new Float32Array(b) },
  F16: { bytes: 2, read: (b: ArrayBuffer): TensorData => widenHalf(new Uint16Array(b)) },
  BF16: { bytes: 2, read: (b: ArrayBuffer): TensorData => widenBfloat16(b) },
  I64: { bytes: 8, read: (b: ArrayBuffer): TensorData => new BigInt64Array(b) },
  U64: { bytes: 8, read: (b: ArrayBuffer): TensorData => new BigUint64Array(b) },
  I32: { bytes: 4, read: (b: ArrayBuffer): TensorData => new Int32Array(b) },
  U32: { bytes: 4, read: (b: ArrayBuffer): TensorData => new Uint32Array(b) },
  I16: { bytes: 2, read: (b: ArrayBuffer): TensorData => new Int16Array(b) },
  U16: { bytes: 2, read: (b: ArrayBuffer): TensorData => new Uint16Array(b) },
  I8: { bytes: 1, read: (b: ArrayBuffer): TensorData => new Int8Array(b) },
  U8: { bytes: 1, read: (b: ArrayBuffer): TensorData => new Uint8Array(b) },
  BOOL: { bytes: 1, read: (b: ArrayBuffer): TensorData => new Uint8Array(b) },
} as const;

/** True for a name in `DTYPES`. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(DTYPES, name);
}

/** Product of the sides; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
