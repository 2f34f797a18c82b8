import type { NetworkDescription, Parameters } from '../networks/description';
import { crossbarNodes } from '../quantization/crossbar-layers';

/** How varied a layer's weights are: those of product-quantised checkpoints repeat. */
export interface KernelStatistics {
  readonly name: string;
  /** Kernels of k x k weights: in * out channels; of 1x1 and dense layers single weights. */
  readonly kernels: number;
  /** Kernels that differ in a bit from all others. */
  readonly distinct: number;
  readonly weights: number;
  /** Weights that are exactly 0. */
  readonly zeros: number;
}

/** Counts each crossbar layer's distinct kernels and zeros. */
export function kernelStatistics(
  description: NetworkDescription,
  parameters: Parameters,
): KernelStatistics[] {
  return crossbarNodes(description).map((node) => {
    const { data } = parameters.get(`${node.name}.weight`)!;
    const size = node.op === 'conv' ? node.kernel ** 2 : 1;
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const seen = new Set<string>();
    for (let at = 0; at < bytes.length; at += 4 * size) seen.add(bytes.toString('latin1', at, at + 4 * size));
    const zeros = data.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
    return {
      name: node.name,
      kernels: data.length / size,
      distinct: seen.size,
      weights: data.length,
      zeros,
    };
  });
}
