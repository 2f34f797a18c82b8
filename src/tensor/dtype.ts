/** TensorFlow's numbers for element types (tensorflow/core/framework/types.proto). */
export const DType = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  resource: 20,
} as const;
export type DType = (typeof DType)[keyof typeof DType];
