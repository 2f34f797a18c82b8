import type { NetworkDescription, Node } from './description';

/** Whether a node's output can never be negative, so that unsigned codes hold it and zeros may pad its largest values. */
export function isNonNegative(description: NetworkDescription, name: string): boolean {
  if (name === 'input') return true;
  const node = description.nodes.find((candidate) => candidate.name === name)!;
  return nonNegative(description, node);
}

function nonNegative(description: NetworkDescription, node: Node): boolean {
  switch (node.op) {
    case 'relu':
      return true;
    case 'conv':
    case 'dense':
    case 'batchnorm':
      return false;
    case 'add':
      return node.inputs.every((input) => isNonNegative(description, input));
    default:
      return isNonNegative(description, node.input);
  }
}
