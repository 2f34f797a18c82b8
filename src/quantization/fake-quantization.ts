import { InputError } from '../errors';
import type { NetworkDescription, Node } from '../networks/description';
import { foldedNorms } from '../networks/fold-batch-norm';
import { isNonNegative } from '../networks/non-negative';
import * as d from '../tensor/differentiable';
import type { Tensor } from '../tensor/engine';
import type { Tape } from '../tensor/tape';
import { quantizedTensors } from './crossbar-layers';

/**
 * Quantisation-aware training: rounds every tensor that a crossbar takes as input to its codes, with straight-through
 * gradients. The picture is left alone: its pixels are its codes.
 * @param bits 2 to 8
 * @param scales of the tensors by node name, of the network that is trained or of the same with batch norm folded
 * @throws InputError for bits that TensorFlow does not round to, and for a tensor without a scale
 */
export function fakeQuantizer(
  description: NetworkDescription,
  scales: ReadonlyMap<string, number>,
  bits: number,
): (tape: Tape, node: Node, output: Tensor) => Tensor {
  if (!Number.isInteger(bits) || bits < 2 || bits > 8)
    throw new InputError(`inputBits ${bits}: activations are rounded while training to 2 to 8 bits`);
  const wanted = quantizedTensors(description);
  const foldedInto = new Map([...foldedNorms(description)].map(([conv, norm]) => [norm.name, conv]));
  const ranges = new Map<string, readonly [number, number]>();
  for (const name of wanted) {
    if (name === 'input') continue;
    const scale = scales.get(name) ?? scales.get(foldedInto.get(name) ?? name);
    if (scale === undefined) throw new InputError(`scales: none for what node '${name}' gives`);
    const lowest = isNonNegative(description, name) ? 0 : -(2 ** (bits - 1));
    ranges.set(name, [lowest * scale, (lowest + 2 ** bits - 1) * scale]);
  }
  return (tape, node, output) => {
    const range = ranges.get(node.name);
    return range ? d.fakeQuant(tape, output, range[0], range[1], bits) : output;
  };
}
