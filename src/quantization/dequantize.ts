import type { Parameters } from '../networks/description';
import { parameterShapes } from '../networks/parameter-shapes';
import { toPyTorch } from '../networks/weight-layout';
import { crossbarNodes } from './crossbar-layers';
import type { IntegerNetwork } from './integer-network';
import { pixelDivisor } from './weight-matrix';

/** The parameters that an integer network's codes, scales and biases stand for: inputs are not rounded with them. */
export function dequantizedParameters({ description, layers, std }: IntegerNetwork): Parameters {
  const shapes = parameterShapes(description);
  const result: Parameters = new Map();
  for (const node of crossbarNodes(description)) {
    const { codes, scales, bias, columns } = layers.get(node.name)!;
    const divisor = pixelDivisor(node, columns, std);
    const matrix = Float32Array.from(codes, (code, i) => code * scales[i % columns] * divisor(i));
    const shape = shapes.get(`${node.name}.weight`)!;
    result.set(`${node.name}.weight`, { shape, data: toPyTorch(matrix, shape) });
    if (shapes.has(`${node.name}.bias`)) result.set(`${node.name}.bias`, { shape: [columns], data: bias });
  }
  return result;
}
