import { describe, expect, it } from 'vitest';
import { countOnes } from '../../src/bitplanes/count-ones';
import { evenTileRows } from '../../src/bitplanes/even-tile-rows';
import { createCrossbarInference, neverClips } from '../../src/crossbar/crossbar-inference';
import { mapLayer } from '../../src/crossbar/layer-job';
import { engines } from '../../src/crossbar/layer-simulator';
import { observeNetwork } from '../../src/crossbar/network-statistics';
import { InputError } from '../../src/errors';
import { certifyNetwork } from '../../src/experiments/certify-network';
import { useFastEngines } from '../../src/experiments/fast-engines';
import type { Inference } from '../../src/networks/inference';
import { createIntegerInference } from '../../src/quantization/integer-inference';
import { pictures, smallModel } from '../quantization/small-model';
import { mixedNetwork } from '../training/small-networks';

useFastEngines({ threads: 1 });

const { network } = smallModel(mixedNetwork());
const few = { ...pictures, count: 3, pixels: pictures.pixels.subarray(0, 3 * 768) };
const tileRows = 32;

function logitsOf(inference: Inference): Float32Array {
  try {
    return inference.logits(few);
  } finally {
    inference.dispose();
  }
}

describe('createCrossbarInference', () => {
  const exact = logitsOf(createIntegerInference(network));
  const adcBits = certifyNetwork(network, tileRows).requiredAdcBits;

  it.each(engines)(
    'gives the logits of the integer network when nothing can clip, on the %s engine',
    (engine) => {
      for (const adc of ['lossless', { bits: adcBits }] as const) {
        for (const dispatch of [true, false])
          expect(
            logitsOf(createCrossbarInference(network, { tileRows, adc: () => adc, engine, dispatch })),
          ).toEqual(exact);
      }
    },
  );

  it('gives other logits when conversions clip, the same on both engines', () => {
    const [compiled, reference] = engines.map((engine) =>
      logitsOf(createCrossbarInference(network, { tileRows, adc: () => ({ bits: 2 }), engine })),
    );
    expect(compiled).toEqual(reference);
    expect(compiled).not.toEqual(exact);
  });

  it('takes the ADCs of each layer, and adds corrections where they clip', () => {
    const names = [...network.layers.keys()];
    const last = names[names.length - 1];
    const asked: string[] = [];
    const adc = (name: string) => {
      asked.push(name);
      return name === last ? { bits: 1 } : ('lossless' as const);
    };
    const plain = logitsOf(createCrossbarInference(network, { tileRows, adc }));
    expect(asked).toEqual(names);
    const layer = network.layers.get(last)!;
    const shift = new Float32Array(layer.columns).fill(1000);
    const correction = (name: string) => (name === last ? shift : undefined);
    const corrected = logitsOf(createCrossbarInference(network, { tileRows, adc, correction }));
    corrected.forEach((logit, i) => {
      const expected = 1000 * layer.scales[i % layer.columns] * layer.inputScale;
      expect(logit - plain[i]).toBeCloseTo(expected, 3);
    });
  });

  it('names the layer whose ADCs cannot read its codes', () => {
    const adc = () => ({ bits: new Array(7).fill(0) });
    const [first] = network.layers.keys();
    expect(() => logitsOf(createCrossbarInference(network, { tileRows, adc }))).toThrow(
      new InputError(`layer ${first}: adc.bits: 0 for plane 0, which holds ones`),
    );
  });
});

describe('neverClips', () => {
  const mapped = (bits: number, codes: readonly number[], more = {}) =>
    mapLayer({ codes: Int8Array.from(codes), rows: codes.length, columns: 1, adc: { bits }, ...more });

  it.each([
    ['as many ones as the highest code', true, mapped(2, [1, 1, 1])],
    ['one more', false, mapped(2, [1, 1, 1, 1])],
    ['the same in two tiles', true, mapped(2, [1, 1, 1, 1], { tileRows: 2 })],
    ['polarities apart', true, mapped(1, [1, -1])],
    ['wider pulses', false, mapped(2, [1, 1], { dacBits: 2 })],
    [
      'pulses of either sign on both polarities',
      false,
      mapped(2, [1, -1], { inputForm: 'sign-magnitude', subtraction: 'analog' }),
    ],
    ['a step of 2', false, mapped(2, [1], { adc: { bits: 2, step: 2 } })],
    [
      'ADCs of bit planes that each hold theirs',
      true,
      mapped(0, [2, 3], { weightBits: 3, adc: { bits: [1, 2] } }),
    ],
    ['one that does not', false, mapped(0, [3, 3], { weightBits: 3, adc: { bits: [1, 2] } })],
    ['an empty plane without', true, mapped(0, [2, 2], { weightBits: 3, adc: { bits: [0, 2] } })],
  ])('knows %s', (_, expected, layer) => {
    expect(neverClips(layer)).toBe(expected);
  });
});

describe('observeNetwork', () => {
  const observations = observeNetwork(network, few, { tileRows, adc: () => ({ bits: 2 }) });

  it('sees every layer, and as many sums and codes as conversions', () => {
    expect(observations.map(({ name }) => name)).toEqual([...network.layers.keys()]);
    for (const { sums, codes, conversions } of observations) {
      for (const { counts } of [sums, codes!])
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(conversions);
      expect(codes!.counts.length).toBe(4);
    }
  });

  it('counts the ones of the bit columns and the clipped share as the codes and sums tell them', () => {
    for (const { name, ones, sums, clippingRate, conversions } of observations) {
      const { codes, rows, columns } = network.layers.get(name)!;
      const shape = { rows, columns, tileRows: evenTileRows(rows, tileRows), weightBits: 8 };
      const { counts } = countOnes({ codes, ...shape });
      const expected = new Array<number>(Math.max(...counts) + 1).fill(0);
      for (const count of counts) expected[count]++;
      expect(ones).toEqual(expected);
      const clipped = sums.counts.reduce((sum, count, at) => sum + (sums.lowest + at > 3 ? count : 0), 0);
      expect(clippingRate).toBeCloseTo(clipped / conversions, 12);
    }
    expect(Math.max(...observations.map(({ clippingRate }) => clippingRate))).toBeGreaterThan(0.01);
  });

  it("counts codes at the ADC's own step, and refuses others", () => {
    const adc = () => ({ bits: 4, step: 2, rounding: 'floor' as const });
    const [{ sums, codes }] = observeNetwork(network, few, { tileRows, adc });
    const expected = new Array<number>(16).fill(0);
    sums.counts.forEach((count, at) => {
      expected[Math.min(15, Math.floor((sums.lowest + at) / 2))] += count;
    });
    expect(codes!.counts).toEqual(expected);
    const steps = () => ({ granularity: 'layer' as const, values: Float64Array.of(2) });
    expect(() => observeNetwork(network, few, { tileRows, adc, steps })).toThrow(
      new InputError("steps: observed codes are those of one step, the ADC's own; give it as adc.step"),
    );
  });

  it('tells the share of zero inputs and of zero input bits', () => {
    const [first, ...others] = observations;
    expect(first.zeroInputs).toBe(few.pixels.filter((pixel) => pixel === 0).length / few.pixels.length);
    for (const { zeroInputs, zeroInputBits } of others) {
      expect(zeroInputs).toBeGreaterThan(0);
      expect(zeroInputBits).toBeGreaterThan(zeroInputs);
      expect(zeroInputBits).toBeLessThan(1);
    }
  });
});
