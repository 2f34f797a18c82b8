import type { NetworkDescription } from './description';
import { nodeShapes } from './node-shapes';

/**
 * Multiply-accumulates of each convolution and dense layer for one picture, by node name in network order:
 * height * width * outChannels * kernel^2 * inChannels / groups of the output, or inFeatures * outFeatures.
 */
export function macCounts(
  description: NetworkDescription,
  size: { readonly height?: number; readonly width?: number } = {},
): Map<string, number> {
  const shapes = nodeShapes(description, size);
  const counts = new Map<string, number>();
  for (const node of description.nodes) {
    if (node.op === 'dense') counts.set(node.name, node.inFeatures * node.outFeatures);
    if (node.op !== 'conv') continue;
    const [height, width, channels] = shapes.get(node.name)!;
    counts.set(node.name, (height * width * channels * node.kernel ** 2 * node.inChannels) / node.groups);
  }
  return counts;
}
