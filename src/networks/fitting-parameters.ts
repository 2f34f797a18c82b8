import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from './description';
import { initialParameters } from './initial-parameters';

/** Parameters for a network to be trained further, and which of them start anew. */
export interface FittingParameters {
  readonly parameters: Parameters;
  readonly fresh: readonly string[];
}

/**
 * Those of another network that fit by name and shape; dense layers that do not, as a classifier of other classes, start
 * anew.
 * @throws InputError naming the first of the other parameters that does not fit
 */
export function fittingParameters(
  description: NetworkDescription,
  others: Parameters,
  seed: number,
): FittingParameters {
  const dense = new Set(description.nodes.flatMap((node) => (node.op === 'dense' ? [node.name] : [])));
  const fresh: string[] = [];
  const parameters = new Map(
    [...initialParameters(description, seed)].map(([name, own]) => {
      const other = others.get(name);
      if (other && String(other.shape) === String(own.shape)) return [name, other];
      if (!dense.has(name.slice(0, name.lastIndexOf('.'))))
        throw new InputError(
          `start: ${description.name} needs '${name}' of [${own.shape}], it ${other ? `has [${other.shape}]` : 'has none'}`,
        );
      fresh.push(name);
      return [name, own];
    }),
  );
  return { parameters, fresh };
}
