import {
  type Attribute,
  attribute,
  DType,
  dispose,
  keep as keepConstant,
  read,
  run,
  runMany,
  scope,
  type Tensor,
  upload,
} from './engine';

/**
 * TensorFlow kernels as functions. Pictures are NHWC, convolution weights HWIO. Each call allocates its result in the
 * current scope. Names follow the TensorFlow kernel they call.
 */

const cache = new Map<string, Attribute[]>();

/** Attribute lists are built once for each distinct call: building them costs as much as a small kernel. */
export function attributes(key: string, build: () => Attribute[]): Attribute[] {
  const known = cache.get(key);
  if (known) return known;
  const list = build();
  cache.set(key, list);
  return list;
}

const typed = (dtype: DType) => attributes(`T${dtype}`, () => [attribute.type('T', dtype)]);

export const add = (a: Tensor, b: Tensor) => run('AddV2', typed(a.dtype), [a, b]);
export const subtract = (a: Tensor, b: Tensor) => run('Sub', typed(a.dtype), [a, b]);
export const multiply = (a: Tensor, b: Tensor) => run('Mul', typed(a.dtype), [a, b]);
export const divide = (a: Tensor, b: Tensor) => run('RealDiv', typed(a.dtype), [a, b]);
export const maximum = (a: Tensor, b: Tensor) => run('Maximum', typed(a.dtype), [a, b]);
export const minimum = (a: Tensor, b: Tensor) => run('Minimum', typed(a.dtype), [a, b]);
export const abs = (a: Tensor) => run('Abs', typed(a.dtype), [a]);
export const sqrt = (a: Tensor) => run('Sqrt', typed(a.dtype), [a]);
/** To the nearest integer, ties to even. */
export const round = (a: Tensor) => run('Round', typed(a.dtype), [a]);
export const relu = (a: Tensor) => run('Relu', typed(a.dtype), [a]);
/** Gradient of ReLU at output (or input) `y`. */
export const reluGrad = (gradient: Tensor, y: Tensor) => run('ReluGrad', typed(y.dtype), [gradient, y]);
export const softmax = (logits: Tensor) => run('Softmax', typed(logits.dtype), [logits]);
export const clip = (a: Tensor, low: Tensor, high: Tensor) =>
  run('ClipByValue', typed(a.dtype), [a, low, high]);

const fakeQuantAttributes = (low: number, high: number, bits: number) =>
  attributes(`fakeQuant${low},${high},${bits}`, () => [
    attribute.float('min', low),
    attribute.float('max', high),
    attribute.int('num_bits', bits),
    attribute.bool('narrow_range', false),
  ]);
/** float32 rounded to 2^bits levels from `low` to `high` (which TensorFlow nudges so that 0 is a level), clipped there. */
export const fakeQuant = (x: Tensor, low: number, high: number, bits: number) =>
  run('FakeQuantWithMinMaxArgs', fakeQuantAttributes(low, high, bits), [x]);
/** Its straight-through gradient: `gradient` where x lies from `low` to `high`, 0 elsewhere. */
export const fakeQuantGrad = (gradient: Tensor, x: Tensor, low: number, high: number, bits: number) =>
  run('FakeQuantWithMinMaxArgsGradient', fakeQuantAttributes(low, high, bits), [gradient, x]);

/** A copy of a float32 tensor. */
export const floats = (a: Tensor) => read(a) as Float32Array;

export function scalar(value: number): Tensor {
  return upload(new Float32Array([value]), []);
}

export function cast(a: Tensor, to: DType): Tensor {
  const list = attributes(`cast${a.dtype}>${to}`, () => [
    attribute.type('SrcT', a.dtype),
    attribute.type('DstT', to),
    attribute.bool('Truncate', false),
  ]);
  return run('Cast', list, [a]);
}

/** The same bits read as another type of as many bytes. */
export function bitcast(a: Tensor, to: DType): Tensor {
  const list = attributes(`bitcast${a.dtype}>${to}`, () => [
    attribute.type('T', a.dtype),
    attribute.type('type', to),
  ]);
  return run('Bitcast', list, [a]);
}

/** A view with another shape; the data is shared, not copied. */
export function reshape(a: Tensor, shape: readonly number[]): Tensor {
  const list = attributes(`reshape${a.dtype}`, () => [
    attribute.type('T', a.dtype),
    attribute.type('Tshape', DType.int32),
  ]);
  return run('Reshape', list, [a, integers(shape)]);
}

const constants = new Map<string, Tensor>();

/** A small int32 vector that lives as long as the process: shapes, axes, paddings. */
export function integers(values: readonly number[]): Tensor {
  return constant(`i${values}`, () => upload(Int32Array.from(values), [values.length]));
}

/** A tensor made once and kept for the life of the process, outside every scope. */
export function constant(key: string, make: () => Tensor): Tensor {
  const known = constants.get(key);
  if (known) return known;
  // What `make` made on the way is freed.
  const tensor = keepConstant(scope(make));
  constants.set(key, tensor);
  return tensor;
}

export function transpose(a: Tensor, permutation: readonly number[]): Tensor {
  const list = attributes(`transpose${a.dtype}`, () => [
    attribute.type('T', a.dtype),
    attribute.type('Tperm', DType.int32),
  ]);
  return run('Transpose', list, [a, integers(permutation)]);
}

/** Concatenates vectors. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  if (tensors.length === 1) return reshape(tensors[0], tensors[0].shape);
  const dtype = tensors[0].dtype;
  const list = attributes(`concat${dtype},${tensors.length}`, () => [
    attribute.int('N', tensors.length),
    attribute.type('T', dtype),
    attribute.type('Tidx', DType.int32),
  ]);
  return run('ConcatV2', list, [...tensors, axisScalar(axis)]);
}

/** Cuts a vector into pieces of the given sizes. */
export function split(a: Tensor, sizes: readonly number[]): Tensor[] {
  if (sizes.length === 1) return [reshape(a, a.shape)];
  const list = attributes(`split${a.dtype},${sizes.length}`, () => [
    attribute.int('num_split', sizes.length),
    attribute.type('T', a.dtype),
    attribute.type('Tlen', DType.int32),
  ]);
  return runMany('SplitV', list, [a, integers(sizes), axisScalar(0)], sizes.length);
}

function axisScalar(axis: number): Tensor {
  return constant(`axis${axis}`, () => upload(Int32Array.of(axis), []));
}

/** Zeros around height and width, and around the channels. */
export function pad(
  a: Tensor,
  height: number,
  width: number,
  channels: readonly [number, number] = [0, 0],
): Tensor {
  const list = attributes(`pad${a.dtype}`, () => [
    attribute.type('T', a.dtype),
    attribute.type('Tpaddings', DType.int32),
  ]);
  const key = `pad${height},${width},${channels}`;
  const paddings = constant(key, () =>
    upload(Int32Array.of(0, 0, height, height, width, width, channels[0], channels[1]), [4, 2]),
  );
  return run('Pad', list, [a, paddings]);
}

/** Max pooling over `kernel` x `kernel` windows. TensorFlow's kernel has no explicit padding: pad with `pad` first. */
export const maxPool = (x: Tensor, kernel: number, stride: number) =>
  run('MaxPool', poolAttributes(x.dtype, kernel, stride), [x]);

/** Gradient of `maxPool` with respect to x. */
export const maxPoolGrad = (x: Tensor, y: Tensor, gradient: Tensor, kernel: number, stride: number) =>
  run('MaxPoolGrad', poolAttributes(x.dtype, kernel, stride), [x, y, gradient]);

function poolAttributes(dtype: DType, kernel: number, stride: number): Attribute[] {
  return attributes(`pool${dtype},${kernel},${stride}`, () => [
    attribute.type('T', dtype),
    attribute.int('ksize', [1, kernel, kernel, 1]),
    attribute.int('strides', [1, stride, stride, 1]),
    attribute.string('padding', 'VALID'),
    attribute.string('data_format', 'NHWC'),
  ]);
}

/** Mean over height and width: [N, H, W, C] -> [N, C]. */
export function globalMean(x: Tensor): Tensor {
  return reduce('Mean', x, [1, 2]);
}

/** Sum over the given axes, which vanish. */
export function sum(x: Tensor, axes: readonly number[]): Tensor {
  return reduce('Sum', x, axes);
}

/** Largest element over the given axes, which vanish. */
export function max(x: Tensor, axes: readonly number[]): Tensor {
  return reduce('Max', x, axes);
}

/** Counts [bins] (int32) of float32 elements in equal bins from 0 to `highest`; what lies outside counts in the outer bins. */
export function histogram(x: Tensor, highest: number, bins: number): Tensor {
  const list = attributes('histogram', () => [
    attribute.type('T', DType.float32),
    attribute.type('dtype', DType.int32),
  ]);
  return scope(() =>
    run('HistogramFixedWidth', list, [
      x,
      upload(Float32Array.of(0, highest), [2]),
      upload(Int32Array.of(bins), []),
    ]),
  );
}

function reduce(kernel: 'Mean' | 'Sum' | 'Max', x: Tensor, axes: readonly number[]): Tensor {
  const list = attributes(`reduce${x.dtype}`, () => [
    attribute.type('T', x.dtype),
    attribute.type('Tidx', DType.int32),
    attribute.bool('keep_dims', false),
  ]);
  return run(kernel, list, [x, integers(axes)]);
}

/** Spreads [N, C] evenly over [N, height, width, C]: the gradient of `globalMean` but for the factor 1/(height*width). */
export function spread(x: Tensor, height: number, width: number): Tensor {
  const [n, c] = x.shape;
  const list = attributes(`broadcast${x.dtype}`, () => [
    attribute.type('T', x.dtype),
    attribute.type('Tidx', DType.int32),
  ]);
  const narrow = reshape(x, [n, 1, 1, c]);
  const wide = run('BroadcastTo', list, [narrow, integers([n, height, width, c])]);
  dispose(narrow);
  return wide;
}

/** Matrix product a [M, K] * b [K, N]; either may be given transposed. */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const list = attributes(`matmul${a.dtype},${transposeA},${transposeB}`, () => [
    attribute.type('T', a.dtype),
    attribute.bool('transpose_a', transposeA),
    attribute.bool('transpose_b', transposeB),
  ]);
  return run('MatMul', list, [a, b]);
}

/** Matrix products of stacks: a [B, M, K] * b [B, K, N]; either may be given transposed. */
export function batchMatMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const list = attributes(`batchmatmul${a.dtype},${transposeA},${transposeB}`, () => [
    attribute.type('T', a.dtype),
    attribute.bool('adj_x', transposeA),
    attribute.bool('adj_y', transposeB),
  ]);
  return run('BatchMatMulV2', list, [a, b]);
}

/** The rows of a [R, N] with the given numbers (int32). */
export function gatherRows(a: Tensor, rows: Tensor): Tensor {
  const list = attributes(`gather${a.dtype}`, () => [
    attribute.type('Tparams', a.dtype),
    attribute.type('Tindices', DType.int32),
    attribute.type('Taxis', DType.int32),
    attribute.int('batch_dims', 0),
  ]);
  return run('GatherV2', list, [a, rows, axisScalar(0)]);
}

/** A float32 vector [length] with the given numbers at the given places (int32, each once) and 0 elsewhere. */
export function scatter(places: Tensor, numbers: Tensor, length: number): Tensor {
  const list = attributes('scatter', () => [
    attribute.type('T', DType.float32),
    attribute.type('Tindices', DType.int32),
    attribute.bool('validate_indices', false),
  ]);
  const rest = constant('scatter rest', () => scalar(0));
  return run('SparseToDense', list, [places, integers([length]), numbers, rest]);
}

/** Adds a vector along the last axis. */
export const biasAdd = (x: Tensor, bias: Tensor) => run('BiasAdd', biasAttributes(x.dtype), [x, bias]);

/** Sum over all axes but the last: the gradient of `biasAdd` with respect to the bias. */
export const biasAddGrad = (gradient: Tensor) =>
  run('BiasAddGrad', biasAttributes(gradient.dtype), [gradient]);

function biasAttributes(dtype: DType): Attribute[] {
  return attributes(`bias${dtype}`, () => [
    attribute.type('T', dtype),
    attribute.string('data_format', 'NHWC'),
  ]);
}

/** Elements `begin`, `begin + stride`, ... below `end` along every axis. */
export function stridedSlice(
  x: Tensor,
  begin: readonly number[],
  end: readonly number[],
  strides: readonly number[],
): Tensor {
  return run('StridedSlice', sliceAttributes(x.dtype), [
    x,
    integers(begin),
    integers(end),
    integers(strides),
  ]);
}

function sliceAttributes(dtype: DType): Attribute[] {
  return attributes(`slice${dtype}`, () => [
    attribute.type('T', dtype),
    attribute.type('Index', DType.int32),
    ...['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'].map((mask) =>
      attribute.int(mask, 0),
    ),
  ]);
}

/** Cross entropy of each row of logits [N, C] against probabilities [N, C], and its gradient [N, C] per row. */
export function softmaxCrossEntropy(
  logits: Tensor,
  probabilities: Tensor,
): { loss: Tensor; gradient: Tensor } {
  const [loss, gradient] = runMany(
    'SoftmaxCrossEntropyWithLogits',
    typed(logits.dtype),
    [logits, probabilities],
    2,
  );
  return { loss, gradient };
}
