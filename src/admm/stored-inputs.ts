import { DType, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';

/**
 * Input vectors of a layer, [count, rows]: value = number * scale. Codes stay bytes, a fourth of the memory; they are whole
 * in float32 too, so that the scale comes after sums.
 */
export interface StoredInputs {
  readonly numbers: Float32Array | Uint8Array;
  readonly scale: number;
}

/** Room for so many numbers, as bytes where they are unsigned codes. */
export function roomForInputs(length: number, scale: number, unsignedCodes: boolean): StoredInputs {
  return { numbers: unsignedCodes ? new Uint8Array(length) : new Float32Array(length), scale };
}

/** Numbers of the vectors from ..< to, not scaled, as float32 in the engine. */
export function uploadNumbers({ numbers }: StoredInputs, rows: number, from: number, to: number): Tensor {
  const part = numbers.subarray(from * rows, to * rows);
  const shape = [to - from, rows];
  return part instanceof Uint8Array
    ? scope(() => k.cast(upload(part, shape), DType.float32))
    : upload(part, shape);
}
