import { InputError } from '../errors';
import type { NetworkDescription, Node } from '../networks/description';
import * as d from '../tensor/differentiable';
import type { Tensor } from '../tensor/engine';
import type { Tape } from '../tensor/tape';
import { isNonNegative, quantizedTensors } from './crossbar-layers';

/**
 * Quantisation-aware training: rounds every tensor that a crossbar takes as input to its codes, with straight-through
 * gradients. The picture is left alone: its pixels are its codes.
 * @param bits 2 to 8
 * @param scales of the tensors by node name, with batch norm folded or not: names of the network that is trained
 * @throws InputError for bits that TensorFlow does not round to
 */
export function fakeQuantizer(
  description: NetworkDescription,
  scales: ReadonlyMap<string, number>,
  bits: number,
): (tape: Tape, node: Node, output: Tensor) => Tensor {
  if (!Number.isInteger(bits) || bits < 2 || bits > 8)
    throw new InputError(`inputBits ${bits}: activations are rounded while training to 2 to 8 bits`);
  const wanted = quantizedTensors(description);
  const ranges = new Map<string, readonly [number, number]>();
  for (const name of wanted) {
    const scale = scales.get(name);
    if (name === 'input' || scale === undefined) continue;
    const lowest = isNonNegative(description, name) ? 0 : -(2 ** (bits - 1));
    ranges.set(name, [lowest * scale, (lowest + 2 ** bits - 1) * scale]);
  }
  return (tape, node, output) => {
    const range = ranges.get(node.name);
    return range ? d.fakeQuant(tape, output, range[0], range[1], bits) : output;
  };
}
