import { expect, it } from 'vitest';
import { adcModelNames } from '../../src/hardware/adc-model';
import { costModel } from '../../src/hardware/design-cost';
import { constantsAt, type HardwareConstants } from '../../src/hardware/hardware-preset';
import { costDesigns } from '../../src/hardware/hardware-report';
import { mapDesigns } from '../../src/hardware/map-designs';
import { isOnPaperAlone } from '../../src/hardware/paper-constants';
import { randomStream } from '../../src/tensor/random';

const random = randomStream(1, 'costs');
const codes = Int8Array.from({ length: 200 * 20 }, () => (random.integer(7) ? 0 : random.integer(255) - 127));
const dense = codes.map(() => random.integer(255) - 127);
const layer = { name: 'a', codes, rows: 200, columns: 20, vectors: 9, adcBits: 4, dacBits: 2 };
const designs = mapDesigns({ layers: [layer], denseLayers: [{ ...layer, codes: dense }] });

/** What every ADC model makes of the designs. */
const costs = (constants: HardwareConstants) =>
  JSON.stringify(
    adcModelNames.map((name) => {
      const { pruned, baselines } = costDesigns(designs, costModel(name, constants));
      return [pruned, ...baselines.map(({ cost }) => cost)];
    }),
  );

it('on paper alone are exactly the constants that move no cost under any ADC model', () => {
  const constants = constantsAt();
  const before = costs(constants);
  for (const which of ['adc', 'tile'] as const)
    for (const [name, constant] of constants[which]) {
      const moves = [0.5, 2].some((factor) => {
        const changed = new Map(constants[which]).set(name, { ...constant, value: factor * constant.value });
        return costs({ ...constants, [which]: changed }) !== before;
      });
      expect(moves, name).toBe(!isOnPaperAlone(name));
    }
});
