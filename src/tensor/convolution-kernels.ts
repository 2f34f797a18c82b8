import {
  type Attribute,
  attribute,
  DType,
  dispose,
  requireNativeEngine,
  run,
  scope,
  type Tensor,
  upload,
} from './engine';
import { add, attributes, biasAdd, cast, constant, integers, relu, stridedSlice } from './kernels';

/** Convolutions and their gradients as functions; see kernels. */

/** What a convolution is, apart from its tensors. `padding` zeros lie on each side of the picture. */
export interface ConvShape {
  readonly stride: number;
  readonly padding: number;
}

/**
 * TensorFlow's SAME padding splits its zeros unevenly where PyTorch's convolutions pad both sides alike, and its
 * EXPLICIT padding has no oneDNN gradient (bfloat16: 60 times slower). So in gradients a kernel grows by a last row and
 * column of zeros where that makes SAME pad `padding` on the first side: a 3x3 convolution of stride 2 on an even picture
 * has the gradient of a 4x4 one. Returns the side of the kernel to run on a picture of the given height and width.
 * @throws Error where neither side fits both; no network of the zoo has such a layer.
 */
function sameSide(inputs: readonly number[], kernel: number, { stride, padding }: ConvShape): number {
  const fits = (input: number, side: number) => {
    const outputs = Math.floor((input + 2 * padding - kernel) / stride) + 1;
    const zeros = Math.max(0, (Math.ceil(input / stride) - 1) * stride + side - input);
    return Math.ceil(input / stride) === outputs && zeros >> 1 === padding;
  };
  const side = [kernel, kernel + 1].find((candidate) => inputs.every((input) => fits(input, candidate)));
  if (side !== undefined) return side;
  throw new Error(`no SAME form of a ${kernel}x${kernel} convolution, stride ${stride}, padding ${padding}`);
}

/** What every kernel of a convolution takes. */
export const convolutionAttributes = (stride: number): Attribute[] => [
  attribute.int('strides', [1, stride, stride, 1]),
  attribute.int('dilations', [1, 1, 1, 1]),
  attribute.string('data_format', 'NHWC'),
];

/** `padding` zeros on each side of the pictures. */
const paddingAttributes = (padding: number): Attribute[] =>
  padding > 0
    ? [
        attribute.string('padding', 'EXPLICIT'),
        attribute.int('explicit_paddings', [0, 0, padding, padding, padding, padding, 0, 0]),
      ]
    : [attribute.string('padding', 'VALID')];

/** The attributes of a gradient on a picture of shape [N, H, W, C], and the side the kernel must have there. */
function gradientOf(dtype: DType, picture: readonly number[], kernel: number, shape: ConvShape) {
  const same = shape.padding > 0;
  const list = attributes(`convg${dtype},${shape.stride},${same}`, () => [
    attribute.type('T', dtype),
    ...convolutionAttributes(shape.stride),
    attribute.bool('use_cudnn_on_gpu', true),
    attribute.string('padding', same ? 'SAME' : 'VALID'),
  ]);
  return { list, side: same ? sameSide(picture.slice(1, 3), kernel, shape) : kernel };
}

/** Zeros after the last rows and columns of a kernel, up to `side`. */
function growKernel(w: Tensor, side: number): Tensor {
  const extra = side - w.shape[0];
  const list = attributes(`pad${w.dtype}`, () => [
    attribute.type('T', w.dtype),
    attribute.type('Tpaddings', DType.int32),
  ]);
  const paddings = constant(`grow${extra}`, () =>
    upload(Int32Array.of(0, extra, 0, extra, 0, 0, 0, 0), [4, 2]),
  );
  return run('Pad', list, [w, paddings]);
}

/**
 * x [N, H, W, C] * w [k, k, C, O] -> [N, H', W', O]; with w [k, k, C / groups, O] a grouped convolution.
 * @throws InputError for groups on an engine other than TensorFlow
 */
export function conv2d(x: Tensor, w: Tensor, { stride, padding }: ConvShape): Tensor {
  if (x.shape[3] !== w.shape[2]) requireNativeEngine('a grouped convolution');
  const list = attributes(`conv${x.dtype},${stride},${padding}`, () => [
    attribute.type('T', x.dtype),
    ...convolutionAttributes(stride),
    ...paddingAttributes(padding),
    attribute.bool('use_cudnn_on_gpu', true),
  ]);
  return run('Conv2D', list, [x, w]);
}

/** What a convolution's kernel does with its output, in this order: adds another tensor of its shape, then ReLU. */
export interface ConvEnd {
  readonly plus?: Tensor;
  readonly relu?: boolean;
}

/** False once an engine has turned out to lack the fused kernel (builds without oneDNN). */
let fuses = true;

/** `conv2d` plus a vector along the channels, then its end, as one kernel where there is one; exact wherever those are. */
export function conv2dBias(x: Tensor, w: Tensor, bias: Tensor, shape: ConvShape, end: ConvEnd = {}): Tensor {
  if (fuses && x.shape[3] === w.shape[2]) {
    const { plus, relu: rectified = false } = end;
    try {
      const inputs = plus ? [x, w, bias, plus] : [x, w, bias];
      return run(
        '_MklNativeFusedConv2D',
        fusedAttributes(x.dtype, shape, plus !== undefined, rectified),
        inputs,
      );
    } catch {
      fuses = false;
    }
  }
  return scope(() => endConvolution(biasAdd(conv2d(x, w, shape), bias), end));
}

/** The end of a convolution as kernels of their own. */
export function endConvolution(y: Tensor, end: ConvEnd): Tensor {
  const sum = end.plus ? add(y, end.plus) : y;
  return end.relu ? relu(sum) : sum;
}

const fusedAttributes = (dtype: DType, { stride, padding }: ConvShape, plus: boolean, rectified: boolean) =>
  attributes(`convf${dtype},${stride},${padding},${plus},${rectified}`, () => [
    attribute.type('T', dtype),
    ...convolutionAttributes(stride),
    ...paddingAttributes(padding),
    attribute.strings('fused_ops', ['BiasAdd', ...(plus ? ['Add'] : []), ...(rectified ? ['Relu'] : [])]),
    attribute.int('num_args', plus ? 2 : 1),
    attribute.types('TArgs', Array(plus ? 2 : 1).fill(dtype)),
    attribute.float('epsilon', 0),
    attribute.float('leakyrelu_alpha', 0.2),
    attribute.bool('is_filter_const', false),
    // TensorFlow keeps oneDNN's kernels under a label of their own.
    attribute.string('_kernel', 'MklNameChangeOp'),
  ]);

/** Runs `body` with the kernel at the side it needs. */
function withKernel(w: Tensor, side: number, body: (w: Tensor) => Tensor): Tensor {
  if (w.shape[0] === side) return body(w);
  const grown = growKernel(w, side);
  const result = body(grown);
  dispose(grown);
  return result;
}

/** Gradient of `conv2d` with respect to x, whose shape is `xShape`. */
export function conv2dInputGrad(
  xShape: readonly number[],
  w: Tensor,
  gradient: Tensor,
  shape: ConvShape,
): Tensor {
  const { list, side } = gradientOf(w.dtype, xShape, w.shape[0], shape);
  return withKernel(w, side, (kernel) =>
    run('Conv2DBackpropInput', list, [integers(xShape), kernel, gradient]),
  );
}

/** Gradient of `conv2d` with respect to w, whose shape is `wShape`. */
export function conv2dFilterGrad(
  x: Tensor,
  wShape: readonly number[],
  gradient: Tensor,
  shape: ConvShape,
): Tensor {
  const { list, side } = gradientOf(x.dtype, x.shape, wShape[0], shape);
  const grown = [side, side, wShape[2], wShape[3]];
  const full = run('Conv2DBackpropFilter', list, [x, integers(grown), gradient]);
  if (side === wShape[0]) return full;
  const result = stridedSlice(full, [0, 0, 0, 0], wShape, [1, 1, 1, 1]);
  dispose(full);
  return result;
}

/** Constant 1x1 kernel [1, 1, C, before + C + after] that copies C channels and puts zero channels around them. */
export function channelSelection(
  channels: number,
  [before, after]: readonly [number, number],
  dtype: DType,
): Tensor {
  return constant(`select${channels},${before},${after},${dtype}`, () => {
    const wide = before + channels + after;
    const matrix = new Float32Array(channels * wide);
    for (let c = 0; c < channels; c++) matrix[c * wide + before + c] = 1;
    const floats = upload(matrix, [1, 1, channels, wide]);
    return dtype === DType.float32 ? floats : cast(floats, dtype);
  });
}
