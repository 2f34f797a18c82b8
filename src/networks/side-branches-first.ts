import type { NetworkDescription, Node } from './description';
import { inputsOf } from './node-shapes';

/**
 * The same network with the nodes in another order: of the two ways into an addition that both have convolutions, the
 * one with fewer nodes (a projection shortcut) comes first. Who goes through the nodes in order and mends on the second
 * way what the first one lost then mends it where there is more to mend with.
 */
export function sideBranchesFirst(description: NetworkDescription): NetworkDescription {
  let nodes: readonly Node[] = description.nodes;
  for (const node of description.nodes) {
    if (node.op !== 'add') continue;
    const ways = node.inputs.map((end) => wayTo(end, nodes));
    const [first, second] = ways.map((way, i) => way.filter((own) => !ways[1 - i].includes(own)));
    if (!first.some(isConv) || !second.some(isConv)) continue;
    const side = first.length < second.length ? first : second;
    const main = side === first ? second : first;
    const start = Math.min(...main.map((own) => nodes.indexOf(own)));
    const rest = nodes.filter((own) => !side.includes(own));
    // After all that it reads, too.
    const read = new Set(side.flatMap((own) => inputsOf(own)));
    const known = rest.map(({ name }, i) => (read.has(name) ? i + 1 : 0));
    const at = Math.max(rest.indexOf(nodes[start]), ...known);
    nodes = [...rest.slice(0, at), ...side, ...rest.slice(at)];
  }
  return { ...description, nodes: [...nodes] };
}

const isConv = ({ op }: Node) => op === 'conv';

/** The node and all it depends on, in order. */
function wayTo(end: string, nodes: readonly Node[]): Node[] {
  const needed = new Set([end]);
  for (const node of [...nodes].reverse())
    if (needed.has(node.name)) for (const input of inputsOf(node)) needed.add(input);
  return nodes.filter(({ name }) => needed.has(name));
}
