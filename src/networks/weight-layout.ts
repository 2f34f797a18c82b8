/** Between PyTorch's layouts (OIHW, [out, in]) and TensorFlow's (HWIO, [in, out]). */

/** Shape in TensorFlow's layout: OIHW -> HWIO, [out, in] -> [in, out]. */
export function tensorFlowShape(shape: readonly number[]): number[] {
  if (shape.length === 4) return [shape[2], shape[3], shape[1], shape[0]];
  return [...shape].reverse();
}

/** Both layouts index output channels, input channels and taps: out * inner <-> inner * out. */
export function toTensorFlow(data: Float32Array, shape: readonly number[]): Float32Array {
  if (shape.length < 2) return data.slice();
  const [out, inputs] = shape;
  const taps = data.length / (out * inputs);
  const result = new Float32Array(data.length);
  for (let o = 0; o < out; o++)
    for (let i = 0; i < inputs; i++)
      for (let t = 0; t < taps; t++) result[(t * inputs + i) * out + o] = data[(o * inputs + i) * taps + t];
  return result;
}

/** Inverse of `toTensorFlow`; `shape` is PyTorch's. */
export function toPyTorch(data: Float32Array, shape: readonly number[]): Float32Array {
  if (shape.length < 2) return data.slice();
  const [out, inputs] = shape;
  const taps = data.length / (out * inputs);
  const result = new Float32Array(data.length);
  for (let o = 0; o < out; o++)
    for (let i = 0; i < inputs; i++)
      for (let t = 0; t < taps; t++) result[(o * inputs + i) * taps + t] = data[(t * inputs + i) * out + o];
  return result;
}
