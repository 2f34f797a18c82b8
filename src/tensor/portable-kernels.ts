import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';

/** Runs a kernel of tfjs by its name there. */
export type KernelCall = (
  name: string,
  inputs: Record<string, TensorInfo> | readonly TensorInfo[],
  attributes?: Record<string, unknown>,
) => TensorInfo | TensorInfo[];

export interface KernelContext {
  readonly call: KernelCall;
  readonly inputs: readonly TensorInfo[];
  /** An attribute of TensorFlow's kernel. */
  readonly get: (name: string) => unknown;
  /** The elements of input `i`, where tfjs wants as an attribute what TensorFlow takes as a tensor. */
  readonly read: (i: number) => number[];
  /** Element type of the result. */
  readonly type: DataType;
}

type PortableKernel = (context: KernelContext) => TensorInfo | TensorInfo[];

const unary =
  (name: string): PortableKernel =>
  ({ call, inputs: [x] }) =>
    call(name, { x });

const binary =
  (name: string): PortableKernel =>
  ({ call, inputs: [a, b] }) =>
    call(name, { a, b });

const reduction =
  (name: string): PortableKernel =>
  ({ call, inputs: [x], read, get }) =>
    call(name, { x }, { axis: read(1), reductionIndices: read(1), keepDims: get('keep_dims') });

/** Height and width of a list for N, H, W, C. */
const plane = (list: unknown) => (list as number[]).slice(1, 3);

const lower = (padding: unknown) => (padding as string).toLowerCase();

/** tfjs takes zeros of its own number as pairs by axis. */
const zeros = (get: KernelContext['get']) => {
  if (get('padding') !== 'EXPLICIT') return lower(get('padding'));
  const flat = get('explicit_paddings') as number[];
  return [0, 2, 4, 6].map((i) => [flat[i], flat[i + 1]]);
};

const convolution = (get: KernelContext['get']) => ({
  strides: plane(get('strides')),
  dilations: plane(get('dilations')),
  pad: zeros(get),
  dataFormat: get('data_format'),
});

/** tfjs's kernel for each of TensorFlow's; element types are checked by the engine. */
export const portableKernels: Readonly<Record<string, PortableKernel>> = {
  AddV2: binary('Add'),
  BiasAdd: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Multiply'),
  RealDiv: binary('RealDiv'),
  Maximum: binary('Maximum'),
  Minimum: binary('Minimum'),
  Abs: unary('Abs'),
  Sqrt: unary('Sqrt'),
  Round: unary('Round'),
  Relu: unary('Relu'),
  Softmax: ({ call, inputs: [logits] }) => call('Softmax', { logits }, { dim: logits.shape.length - 1 }),
  ClipByValue: ({ call, inputs: [x], read }) =>
    call('ClipByValue', { x }, { clipValueMin: read(1)[0], clipValueMax: read(2)[0] }),
  Cast: ({ call, inputs: [x], type }) => call('Cast', { x }, { dtype: type }),
  Reshape: ({ call, inputs: [x], read }) => call('Reshape', { x }, { shape: read(1) }),
  Transpose: ({ call, inputs: [x], read }) => call('Transpose', { x }, { perm: read(1) }),
  ConcatV2: ({ call, inputs, read }) =>
    call('Concat', inputs.slice(0, -1), { axis: read(inputs.length - 1)[0] }),
  SplitV: ({ call, inputs: [x], read }) =>
    call('SplitV', { x }, { numOrSizeSplits: read(1), axis: read(2)[0] }),
  Pad: ({ call, inputs: [x], read }) => {
    const flat = read(1);
    const paddings = x.shape.map((_, axis) => [flat[2 * axis], flat[2 * axis + 1]]);
    return call('PadV2', { x }, { paddings, constantValue: 0 });
  },
  Conv2D: ({ call, inputs: [x, filter], get }) => call('Conv2D', { x, filter }, convolution(get)),
  _MklNativeFusedConv2D: ({ call, inputs: [x, filter, bias, plus], get }) => {
    const ends = get('fused_ops') as string[];
    const rectified = ends.includes('Relu');
    const activation = rectified && !plus ? 'relu' : 'linear';
    const y = call('FusedConv2D', { x, filter, bias }, { ...convolution(get), activation });
    if (!plus) return y;
    const sum = call('Add', { a: y as TensorInfo, b: plus });
    return rectified ? call('Relu', { x: sum as TensorInfo }) : sum;
  },
  MaxPool: ({ call, inputs: [x], get }) =>
    call(
      'MaxPool',
      { x },
      { filterSize: plane(get('ksize')), strides: plane(get('strides')), pad: lower(get('padding')) },
    ),
  MatMul: ({ call, inputs: [a, b], get }) =>
    call('BatchMatMul', { a, b }, { transposeA: get('transpose_a'), transposeB: get('transpose_b') }),
  Mean: reduction('Mean'),
  Sum: reduction('Sum'),
  Max: reduction('Max'),
  StridedSlice: ({ call, inputs: [x], read, get }) =>
    call(
      'StridedSlice',
      { x },
      {
        begin: read(1),
        end: read(2),
        strides: read(3),
        beginMask: get('begin_mask'),
        endMask: get('end_mask'),
        ellipsisMask: get('ellipsis_mask'),
        newAxisMask: get('new_axis_mask'),
        shrinkAxisMask: get('shrink_axis_mask'),
      },
    ),
};
