import type { ConvNode, DenseNode } from '../networks/description';
import * as convolutions from '../tensor/convolution-kernels';
import { DType, dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import { codeKernel, convolveCodes, multipliesCodes } from '../tensor/integer-convolution';
import * as k from '../tensor/kernels';
import type { IntegerLayer } from './integer-network';

/**
 * Every product of a crossbar layer is a whole number, and float32 adds whole numbers exactly up to this; so where the
 * engine has no integer kernels, its float32 convolutions give the crossbar's integers as long as no partial sum can pass it.
 */
const EXACT = 2 ** 24;

/** A crossbar layer in the tensor engine. */
export interface LoadedLayer {
  /**
   * Exact integer sums [N, H', W', columns] or [N, columns] of input codes (whole numbers in float32 or uint8): float32
   * where they cannot pass 2^24, else int32.
   */
  sums(inputCodes: Tensor): Tensor;
  /** Real output: sums times scales plus bias. */
  output(inputCodes: Tensor, sums: Tensor): Tensor;
  dispose(): void;
}

/** @param mean per channel, of pixels / 255: taken off the picture by the layer that reads it */
export function loadLayer(
  node: ConvNode | DenseNode,
  layer: IntegerLayer,
  mean: readonly number[],
): LoadedLayer {
  const { columns } = layer;
  const isFirst = node.input === 'input';
  const whole = node.op === 'conv' && node.groups === 1 && layer.inputBits <= 8 && multipliesCodes();
  const codes = exactParts(layer);
  const kernels = whole ? codes.map((part) => codeKernel(part, weightShape(node))) : [];
  for (const kernel of kernels) keep(kernel.codes);
  // The first layer's bias map is real.
  const parts =
    whole && !isFirst ? [] : codes.map((part) => keep(upload(Float32Array.from(part), weightShape(node))));
  const scale = keep(
    upload(
      layer.scales.map((value) => value * layer.inputScale),
      [columns],
    ),
  );
  const bias = keep(upload(layer.bias, [columns]));
  const biasMaps = new Map<string, Tensor>();

  /**
   * Bias of the first layer at every pixel. The picture enters as raw pixels, so the network's subtraction of the mean
   * turns into a constant for each output position: -255 mean through the weights that lie inside the picture.
   */
  function biasMap([, height, width, channels]: readonly number[]): Tensor {
    const key = `${height}x${width}`;
    const known = biasMaps.get(key);
    if (known) return known;
    const map = scope(() => {
      const size = height * width * channels;
      const offsets = Float32Array.from({ length: size }, (_, i) => -255 * mean[i % channels]);
      const sums = products(node, parts, upload(offsets, [1, height, width, channels]));
      return k.biasAdd(k.multiply(sums.reduce(k.add), scale), bias);
    });
    biasMaps.set(key, keep(map));
    return map;
  }

  function sums(x: Tensor): Tensor {
    if (whole)
      return exactSums(
        kernels.map((kernel) => k.cast(convolveCodes(x, kernel, layer.inputSigned, node), DType.float32)),
      );
    return exactSums(products(node, parts, x.dtype === DType.float32 ? x : k.cast(x, DType.float32)));
  }

  return {
    sums: (inputCodes) => scope(() => sums(inputCodes)),
    output: (inputCodes, sums) =>
      scope(() => {
        const floats = sums.dtype === DType.float32 ? sums : k.cast(sums, DType.float32);
        const scaled = k.multiply(floats, scale);
        return isFirst ? k.add(scaled, biasMap(inputCodes.shape)) : k.biasAdd(scaled, bias);
      }),
    dispose: () => dispose(...kernels.map(({ codes }) => codes), ...parts, scale, bias, ...biasMaps.values()),
  };
}

function weightShape(node: ConvNode | DenseNode): number[] {
  return node.op === 'conv'
    ? [node.kernel, node.kernel, node.inChannels / node.groups, node.outChannels]
    : [node.inFeatures, node.outFeatures];
}

/** Splits the rows into runs in which no column can reach 2^24; each part is the whole matrix with the other rows zero. */
export function exactParts({ codes, rows, columns, inputBits }: IntegerLayer): Int8Array[] {
  const parts: Int8Array[] = [];
  let part = new Int8Array(codes.length);
  let reach = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const line = codes.subarray(row * columns, (row + 1) * columns);
    const next = reach.map((sum, n) => sum + Math.abs(line[n]) * 2 ** inputBits);
    if (next.some((sum) => sum > EXACT)) {
      parts.push(part);
      part = new Int8Array(codes.length);
      reach = new Float64Array(columns).map((_, n) => Math.abs(line[n]) * 2 ** inputBits);
    } else reach = next;
    part.set(line, row * columns);
  }
  parts.push(part);
  return parts;
}

function products(node: ConvNode | DenseNode, parts: readonly Tensor[], input: Tensor): Tensor[] {
  return parts.map((part) =>
    node.op === 'conv' ? convolutions.conv2d(input, part, node) : k.matMul(input, part),
  );
}

/** Several parts are added as int32. */
function exactSums(sums: readonly Tensor[]): Tensor {
  return sums.length === 1 ? sums[0] : sums.map((sum) => k.cast(sum, DType.int32)).reduce(k.add);
}
