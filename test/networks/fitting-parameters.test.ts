import { describe, expect, it } from 'vitest';
import { fittingParameters } from '../../src/networks/fitting-parameters';
import { initialParameters } from '../../src/networks/initial-parameters';
import { networkByName } from '../../src/networks/network-by-name';

describe('fittingParameters', () => {
  const trained = initialParameters(networkByName('tiny'), 1);

  it('takes what fits, and starts a classifier of other classes anew', () => {
    const { parameters, fresh } = fittingParameters(networkByName('tiny', { classes: 4 }), trained, 2);
    expect(fresh).toEqual(['fc.weight', 'fc.bias']);
    expect(parameters.get('fc.weight')!.shape[0]).toBe(4);
    for (const [name, own] of parameters) if (!fresh.includes(name)) expect(own).toBe(trained.get(name));
    expect(fittingParameters(networkByName('tiny'), trained, 2)).toEqual({ parameters: trained, fresh: [] });
  });

  it('refuses another network, naming a tensor that differs', () => {
    expect(() => fittingParameters(networkByName('resnet20'), trained, 1)).toThrow(
      /start: resnet20 needs 'layer1\.0\.conv1\.weight' of \[16,16,3,3\], it has none/,
    );
  });
});
