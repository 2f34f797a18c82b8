import type { NetworkDescription } from './description';
import { inputsOf } from './node-shapes';

/** Index of the last node that reads each node's output (or `input`); its own index where none does. */
export function lastUses(description: NetworkDescription): Map<string, number> {
  const last = new Map<string, number>();
  description.nodes.forEach((node, i) => {
    last.set(node.name, i);
    for (const input of inputsOf(node)) last.set(input, i);
  });
  return last;
}
