import { DType, dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';

/** uint8 pictures in the engine [N, H, W, C] -> (pixels / 255 - mean) / std, a new tensor. */
export interface PictureNormaliser {
  (bytes: Tensor): Tensor;
  dispose(): void;
}

/** @param mean, std per channel, of pixels / 255
 * @param compute type of the result; the arithmetic is in float32 */
export function pictureNormaliser(
  mean: readonly number[],
  std: readonly number[],
  compute: DType = DType.float32,
): PictureNormaliser {
  const vector = (values: Float32Array) => keep(upload(values, [values.length]));
  const scale = vector(Float32Array.from(std, (s) => 1 / (255 * s)));
  const shift = vector(Float32Array.from(mean, (m, c) => -m / std[c]));
  const normalise = (bytes: Tensor) =>
    scope(() => {
      const shifted = k.add(k.multiply(k.cast(bytes, DType.float32), scale), shift);
      return compute === DType.float32 ? shifted : k.cast(shifted, compute);
    });
  return Object.assign(normalise, { dispose: () => dispose(scale, shift) });
}
