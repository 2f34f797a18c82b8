import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from './description';
import { parameterShapes } from './parameter-shapes';

/** Throws InputError, naming the first tensor, where `parameters` lacks one that `description` has or its shape differs. */
export function requireParameters(description: NetworkDescription, parameters: Parameters): void {
  for (const [name, shape] of parameterShapes(description)) {
    const tensor = parameters.get(name);
    if (!tensor) throw new InputError(`network ${description.name}: parameter '${name}' is missing`);
    const count = shape.reduce((product, side) => product * side, 1);
    if (tensor.shape.join() !== shape.join() || tensor.data.length !== count)
      throw new InputError(
        `network ${description.name}: parameter '${name}' has shape [${tensor.shape}] (${tensor.data.length} numbers), needed is [${shape}]`,
      );
  }
}
