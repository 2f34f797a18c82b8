import type { NetworkDescription, Node } from './description';

function shapesOf(node: Node): [suffix: string, shape: number[]][] {
  switch (node.op) {
    case 'conv': {
      const weight = [node.outChannels, node.inChannels / node.groups, node.kernel, node.kernel];
      return node.bias
        ? [
            ['weight', weight],
            ['bias', [node.outChannels]],
          ]
        : [['weight', weight]];
    }
    case 'dense': {
      const weight = [node.outFeatures, node.inFeatures];
      return node.bias
        ? [
            ['weight', weight],
            ['bias', [node.outFeatures]],
          ]
        : [['weight', weight]];
    }
    case 'batchnorm':
      return ['weight', 'bias', 'running_mean', 'running_var'].map((suffix) => [suffix, [node.channels]]);
    default:
      return [];
  }
}

/**
 * Shapes of all parameters by PyTorch name, in network order (which is the order of the PyTorch state dict):
 * convolution weights OIHW, dense weights [out, in], batch norm `weight`, `bias`, `running_mean`, `running_var` [channels].
 */
export function parameterShapes(description: NetworkDescription): Map<string, number[]> {
  return new Map(
    description.nodes.flatMap((node) =>
      shapesOf(node).map(([suffix, shape]): [string, number[]] => [`${node.name}.${suffix}`, shape]),
    ),
  );
}

/** False for batch norm's running statistics, which training measures instead of learning. */
export function isTrainable(parameterName: string): boolean {
  return !/\.running_(mean|var)$/.test(parameterName);
}

/** How many numbers training learns (running statistics left out, as published counts have it). */
export function parameterCount(description: NetworkDescription): number {
  let count = 0;
  for (const [name, shape] of parameterShapes(description))
    if (isTrainable(name)) count += shape.reduce((product, side) => product * side, 1);
  return count;
}
