/** TensorFlow's numbers for element types (tensorflow/core/framework/types.proto). */
export const DType = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int8: 6,
  int64: 9,
  bool: 10,
  /** Codes that stand for reals: TensorFlow's integer kernels take and give these. */
  qint8: 11,
  quint8: 12,
  qint32: 13,
  bfloat16: 14,
  resource: 20,
} as const;
export type DType = (typeof DType)[keyof typeof DType];
