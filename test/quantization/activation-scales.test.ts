import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import { activationScales } from '../../src/quantization/activation-scales';
import { evaluateParameters } from '../../src/training/evaluate';
import { mixedNetwork } from '../training/small-networks';
import { dataset, pictures, smallModel } from './small-model';

/** The small network with the weights of some tensors much too large. */
function overflowing(name: RegExp) {
  const { folded } = smallModel(mixedNetwork());
  const parameters = new Map(
    [...folded.parameters].map(([key, { shape, data }]) => [
      key,
      { shape, data: name.test(key) ? data.map((value) => value * 1e40) : data },
    ]),
  );
  return { description: folded.description, parameters };
}

describe('activations that overflow', () => {
  it.each([
    [/weight$/, 'layer1.relu1'],
    [/^conv1/, 'layer1.relu1'],
    [/^fc2/, 'logits'],
  ])('are refused in one line that names where: weights %s', (name, node) => {
    const { description, parameters } = overflowing(name);
    const scales = () => activationScales(description, parameters, dataset, pictures, 8);
    expect(scales).toThrow(InputError);
    expect(scales).toThrow(
      new RegExp(`^network [^\\n]*: ${node}: activations are not finite \\(-?(Infinity|NaN)\\)`),
    );
  });

  it('give no accuracy', () => {
    const { description, parameters } = overflowing(/^fc2/);
    const evaluate = () => evaluateParameters(description, parameters, dataset, dataset.test);
    expect(evaluate).toThrow(InputError);
    expect(evaluate).toThrow(/^picture \d+: its logits hold/);
  });
});
