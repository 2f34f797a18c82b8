import { dispose, keep, scope, type Tensor } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { IntegerLayer } from './integer-network';

/** Turns a tensor into the codes crossbars take. */
export interface InputCoding {
  /** Nearest codes (ties to even), clipped: whole numbers in float32. `rectified`: no value is below zero. */
  encode(values: Tensor, rectified: boolean): Tensor;
  decode(codes: Tensor): Tensor;
  dispose(): void;
}

export function inputCoding({ inputScale, inputBits, inputSigned }: IntegerLayer): InputCoding {
  const lowest = inputSigned ? -(2 ** (inputBits - 1)) : 0;
  const [scale, inverse, low, high] = [inputScale, 1 / inputScale, lowest, lowest + 2 ** inputBits - 1].map(
    (value) => keep(k.scalar(value)),
  );
  return {
    encode: (values, rectified) =>
      scope(() => {
        const codes = k.round(k.multiply(values, inverse));
        return rectified ? k.minimum(codes, high) : k.clip(codes, low, high);
      }),
    decode: (codes) => k.multiply(codes, scale),
    dispose: () => dispose(scale, inverse, low, high),
  };
}
