import * as convolutions from './convolution-kernels';
import {
  attribute,
  DType,
  dispose,
  isNativeEngine,
  read,
  runMany,
  scope,
  type Tensor,
  upload,
} from './engine';
import { fingerprint } from './fingerprint';
import * as k from './kernels';

/**
 * Convolutions of 8-bit codes by oneDNN's integer kernels (VNNI, AMX): 3 times (16 channels) to 13 times (256 channels) as
 * fast as float32 on processors that multiply bytes. Exact up to 2^24: the kernels add in 32 bits, but round to float32 at
 * the end.
 */

/** Weight codes in the engine. */
export interface CodeKernel {
  /** qint8 [k, k, C, O]. */
  readonly codes: Tensor;
  /** Of the codes: TensorFlow keeps the kernel it rearranged for them, one for each name. */
  readonly name: string;
}

/** @param shape [k, k, C, O] of `codes`; the caller frees the tensor */
export function codeKernel(codes: Int8Array, shape: readonly number[]): CodeKernel {
  const bytes = new Uint8Array(codes.buffer, codes.byteOffset, codes.length);
  const name = `${shape} ${fingerprint(bytes)}`;
  return { codes: scope(() => k.bitcast(upload(bytes, shape), DType.qint8)), name };
}

/**
 * int32 sums [N, H', W', O], exact up to 2^24, of input codes x [N, H, W, C]: 0..255, or -128..127 where `signed`, whole
 * numbers in float32, or the former in uint8. To be called only where `multipliesCodes()`.
 */
export function convolveCodes(
  x: Tensor,
  kernel: CodeKernel,
  signed: boolean,
  shape: convolutions.ConvShape,
): Tensor {
  return scope(() => {
    const bytes = x.dtype === DType.uint8 ? x : k.cast(x, signed ? DType.int8 : DType.uint8);
    const codes = k.bitcast(bytes, signed ? DType.qint8 : DType.quint8);
    // Ranges in which a code stands for itself: the kernel multiplies by their scale.
    const ranges = [...(signed ? [-127, 127] : [0, 255]), -127, 127];
    const ends = ranges.map((end) => k.constant(`end ${end}`, () => k.scalar(end)));
    const inputs = [codes, kernel.codes, ...ends];
    const [sums] = runMany('_MklQuantizedConv2D', attributesOf(kernel, codes.dtype, shape), inputs, 3);
    return k.bitcast(sums, DType.int32);
  });
}

const attributesOf = ({ name }: CodeKernel, input: DType, { stride, padding }: convolutions.ConvShape) =>
  k.attributes(`codes${name},${input},${stride},${padding}`, () => [
    attribute.type('Tinput', input),
    attribute.type('Tfilter', DType.qint8),
    attribute.type('out_type', DType.qint32),
    ...convolutions.convolutionAttributes(stride),
    attribute.string('padding', 'VALID'),
    attribute.int('padding_list', [0, 0, padding, padding, padding, padding, 0, 0]),
    attribute.bool('is_filter_const', true),
    // Keeps the kernels of two layers apart.
    attribute.string('_codes', name),
    attribute.string('_kernel', 'QuantizedMklOp'),
  ]);

let exact: boolean | undefined;

/**
 * Whether this engine and processor multiply codes exactly: builds without oneDNN have no such kernel, and processors
 * without VNNI add pairs of products in 16 bits, which the largest codes overflow.
 */
export function multipliesCodes(): boolean {
  exact ??= isNativeEngine() && multipliesLargest();
  return exact;
}

/** Tries the largest codes, of which the sums come close to 2^24. */
function multipliesLargest(): boolean {
  const channels = 514;
  const inputs = [255, 254, 253].map((first) => new Float32Array(channels).fill(255).fill(first, 0, 1));
  try {
    return [127, -128].every((code) => {
      const kernel = codeKernel(new Int8Array(channels).fill(code), [1, 1, channels, 1]);
      const sums = scope(() => {
        const x = upload(Float32Array.from(inputs.flatMap((own) => [...own])), [
          inputs.length,
          1,
          1,
          channels,
        ]);
        return convolveCodes(x, kernel, false, { stride: 1, padding: 0 });
      });
      const got = read(sums);
      dispose(sums, kernel.codes);
      return inputs.every((own, i) => got[i] === own.reduce((sum, x) => sum + x, 0) * code);
    });
  } catch {
    return false;
  }
}
