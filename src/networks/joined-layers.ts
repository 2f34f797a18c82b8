import type { ConvNode, NetworkDescription, Node } from './description';
import { inputsOf } from './node-shapes';

/** A convolution with what alone reads its output: an addition, a ReLU, or one after the other. One kernel does it all. */
export interface JoinedLayer {
  /** The output that is added, which is there before the convolution runs. */
  readonly plus?: string;
  readonly relu: boolean;
  /** Names of the nodes that the convolution does besides its own; the last one's output is what it gives. */
  readonly nodes: readonly string[];
}

/** By the convolution's name, wherever something can be joined. */
export function joinedLayers({ nodes }: NetworkDescription): Map<string, JoinedLayer> {
  const places = new Map(nodes.map(({ name }, i) => [name, i]));
  const readers = new Map<string, Node[]>();
  for (const node of nodes)
    for (const input of inputsOf(node)) readers.set(input, [...(readers.get(input) ?? []), node]);
  const onlyReader = ({ name }: Node): Node | undefined => {
    const all = readers.get(name) ?? [];
    return all.length === 1 ? all[0] : undefined;
  };
  const before = (name: string, node: Node) => (places.get(name) ?? -1) < places.get(node.name)!;

  const joined = new Map<string, JoinedLayer>();
  for (const conv of nodes) {
    if (!isPlain(conv)) continue;
    const sum = onlyReader(conv);
    const plus = sum?.op === 'add' ? sum.inputs.find((name) => name !== conv.name) : undefined;
    const added = sum && plus !== undefined && before(plus, conv) ? sum : undefined;
    const last = onlyReader(added ?? conv);
    const rectified = last?.op === 'relu' ? last : undefined;
    if (added || rectified)
      joined.set(conv.name, {
        ...(added && { plus }),
        relu: rectified !== undefined,
        nodes: [added, rectified].flatMap((node) => (node ? [node.name] : [])),
      });
  }
  return joined;
}

const isPlain = (node: Node): node is ConvNode => node.op === 'conv' && node.bias && node.groups === 1;
