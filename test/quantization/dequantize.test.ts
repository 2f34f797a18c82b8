import { describe, expect, it } from 'vitest';
import { crossbarNodes } from '../../src/quantization/crossbar-layers';
import { dequantizedParameters } from '../../src/quantization/dequantize';
import { weightMatrix } from '../../src/quantization/weight-matrix';
import { relativeDifference } from '../tensor/values';
import { mixedNetwork } from '../training/small-networks';
import { dataset, smallModel } from './small-model';

describe('dequantizedParameters', () => {
  it('are codes times scales, the layer that reads pixels included, and the biases as they are', () => {
    const { network } = smallModel(mixedNetwork());
    const parameters = dequantizedParameters(network);
    for (const node of crossbarNodes(network.description)) {
      const { codes, scales, bias, columns } = network.layers.get(node.name)!;
      const wanted = Float32Array.from(codes, (code, i) => code * scales[i % columns]);
      expect(relativeDifference(weightMatrix(node, parameters, dataset), wanted)).toBeLessThan(1e-6);
      expect(parameters.get(`${node.name}.bias`)?.data).toEqual(bias);
    }
  });
});
