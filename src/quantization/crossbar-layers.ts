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
