import type { ConvNode, DenseNode, NetworkDescription, Node } from '../networks/description';

/** The nodes that live on crossbars, in network order. */
export function crossbarNodes(description: NetworkDescription): (ConvNode | DenseNode)[] {
  return description.nodes.filter(isOnCrossbars);
}

/** Whether a node lives on crossbars. */
export function isOnCrossbars(node: Node): node is ConvNode | DenseNode {
  return node.op === 'conv' || node.op === 'dense';
}

/** Names of the nodes whose output some crossbar takes as input (`'input'` for the picture): these are quantised. */
export function quantizedTensors(description: NetworkDescription): Set<string> {
  return new Set(crossbarNodes(description).map((node) => node.input));
}

/** Whether a node's output can never be negative, so that unsigned codes hold it. */
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
