import type { NetworkDescription, Parameters } from '../networks/description';
import { parameterShapes } from '../networks/parameter-shapes';
import { tensorFlowShape, toPyTorch, toTensorFlow } from '../networks/weight-layout';

/**
 * All trainable numbers of a network in one vector, so that weight decay, optimiser, moving average, penalties and
 * checkpoints are each one operation. Order: convolution weights (HWIO), dense weights ([in, out]), then biases and
 * batch-norm scales and offsets.
 */
export interface ParameterLayout {
  readonly slots: readonly ParameterSlot[];
  readonly length: number;
  /** Numbers in convolution weights: the first part of the vector. */
  readonly convolution: number;
  /** Running statistics, two slots a batch norm, in a vector of their own. */
  readonly statistics: readonly ParameterSlot[];
}

export interface ParameterSlot {
  /** PyTorch parameter name. */
  readonly name: string;
  readonly kind: 'convolution' | 'dense' | 'vector';
  /** In TensorFlow's layout: HWIO, [in, out] or [channels]. */
  readonly shape: readonly number[];
  readonly size: number;
  readonly offset: number;
}

export function parameterLayout(description: NetworkDescription): ParameterLayout {
  const all = [...parameterShapes(description)].map(([name, shape]) => ({
    name,
    kind:
      shape.length === 4
        ? ('convolution' as const)
        : shape.length === 2
          ? ('dense' as const)
          : ('vector' as const),
    shape: tensorFlowShape(shape),
    size: shape.reduce((a, b) => a * b, 1),
  }));
  const isStatistic = (name: string) => /\.running_(mean|var)$/.test(name);
  const ordered = (['convolution', 'dense', 'vector'] as const).flatMap((kind) =>
    all.filter((slot) => slot.kind === kind && !isStatistic(slot.name)),
  );
  const slots = placed(ordered);
  return {
    slots,
    length: lengthOf(slots),
    convolution: lengthOf(slots.filter((slot) => slot.kind === 'convolution')),
    statistics: placed(all.filter((slot) => isStatistic(slot.name))),
  };
}

export function lengthOf(slots: readonly ParameterSlot[]): number {
  return slots.reduce((sum, slot) => sum + slot.size, 0);
}

function placed(slots: readonly Omit<ParameterSlot, 'offset'>[]): ParameterSlot[] {
  let offset = 0;
  return slots.map((slot) => {
    const at = offset;
    offset += slot.size;
    return { ...slot, offset: at };
  });
}

/** The vector's contents from named parameters. */
export function packParameters(parameters: Parameters, slots: readonly ParameterSlot[]): Float32Array {
  const vector = new Float32Array(lengthOf(slots));
  for (const slot of slots) {
    const { data, shape } = parameters.get(slot.name)!;
    vector.set(toTensorFlow(data, shape), slot.offset);
  }
  return vector;
}

/** Named parameters in PyTorch's layouts from the vectors of weights and running statistics. */
export function unpackParameters(
  description: NetworkDescription,
  layout: ParameterLayout,
  weights: Float32Array,
  statistics: Float32Array,
): Parameters {
  const sources = new Map<string, Float32Array>();
  for (const slot of layout.slots)
    sources.set(slot.name, weights.subarray(slot.offset, slot.offset + slot.size));
  for (const slot of layout.statistics) {
    sources.set(slot.name, statistics.subarray(slot.offset, slot.offset + slot.size));
  }
  const result: Parameters = new Map();
  for (const [name, shape] of parameterShapes(description)) {
    result.set(name, { shape, data: toPyTorch(sources.get(name)!, shape) });
  }
  return result;
}
