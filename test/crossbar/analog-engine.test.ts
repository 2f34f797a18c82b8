import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convert } from '../../src/crossbar/adc';
import { chooseSteps } from '../../src/crossbar/adc-range';
import { analogEngine } from '../../src/crossbar/analog-engine';
import type { AnalogSettings } from '../../src/crossbar/analog-settings';
import { converterTypes } from '../../src/crossbar/converter-model';
import type { DeviceModel } from '../../src/crossbar/device-model';
import { devicePreset, devicePresetNames } from '../../src/crossbar/device-presets';
import { type LayerInput, type LayerJob, layerJob } from '../../src/crossbar/layer-job';
import { programLayer } from '../../src/crossbar/program-layer';
import { referenceEngine } from '../../src/crossbar/reference-engine';
import { checksum, speedChecksums, speedWorkload } from '../../src/crossbar/speed-workload';
import { mergeHistograms } from '../../src/crossbar/sum-histogram';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { randomAdcs, randomLayers, someLayer } from './random-layers';

useFastEngines({ threads: 1 });

const run = (layer: LayerInput, settings: AnalogSettings = {}) => analogEngine(layerJob(layer), settings);

/** What the reference engine gives, in floats. */
function reference(job: LayerJob) {
  const result = referenceEngine(job);
  return { ...result, outputs: Float64Array.from(result.outputs) };
}

describe('analogEngine', () => {
  it('gives what the reference engine gives, to the bit, when the circuit is ideal', () => {
    fc.assert(
      fc.property(randomLayers, fc.boolean(), (layer, portable) => {
        const job = layerJob(layer);
        expect(analogEngine(job, { portable })).toEqual({ ...reference(job), record: undefined });
      }),
      { numRuns: 150 },
    );
  });

  it('gives the checksum that independent simulators agree on for the speed workload', () => {
    const { outputs } = analogEngine(layerJob(speedWorkload()), { converter: { type: 'sar' } });
    expect(checksum(Int32Array.from(outputs))).toEqual(speedChecksums['sign-split']);
  });

  it('gives what the reference engine gives with any ADC, through converters of any kind without errors', () => {
    fc.assert(
      fc.property(randomLayers, randomAdcs, fc.constantFrom(...converterTypes), (layer, adc, type) => {
        const job = layerJob({ ...layer, adc });
        const wanted = { ...reference(job), record: undefined };
        expect(analogEngine(job)).toEqual(wanted);
        expect(analogEngine(job, { converter: { type }, columnsPerAdc: 3 })).toEqual(wanted);
      }),
      { numRuns: 150 },
    );
  });

  it('is still the reference with models whose errors are all zero: cells, wires, DACs, noise', () => {
    const device: DeviceModel = {
      onOffRatio: null,
      programming: { kind: 'proportional', sigma: 0 },
      readNoise: { kind: 'absolute', sigma: 0 },
      drift: { time: 20, startTime: 20, nu: 0.1 },
    };
    fc.assert(
      fc.property(randomLayers, randomAdcs, (layer, adc) => {
        const job = layerJob({ ...layer, adc });
        const wanted = { ...reference(job), record: undefined };
        expect(analogEngine(job, { device })).toEqual(wanted);
        const dacLevels = Array.from({ length: job.slices.maxPulse + 1 }, (_, size) => size);
        expect(analogEngine(job, { device, dacLevels })).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });

  it('comes back to the ideal product when the off current is cancelled, referred to a column, or taken off digitally', () => {
    fc.assert(
      fc.property(
        randomLayers,
        fc.constantFrom('cancelled', 'reference-column', 'digital'),
        (layer, offState) => {
          const job = layerJob(layer);
          const { outputs, conversions } = analogEngine(job, { device: { onOffRatio: 12, offState } });
          const wanted = reference(job);
          expect(conversions).toBe(wanted.conversions);
          const { rows, columns, weightBits = 8 } = layer;
          outputs.forEach((output, i) => {
            const first = Math.floor(i / columns) * rows;
            const own = Array.from(layer.inputs.subarray(first, first + rows), Math.abs);
            const driven = own.reduce((sum, input) => sum + input, 0);
            // Offsets are taken off sums as large as this, in float32.
            const rounding = 2 ** -22 * 2 ** weightBits * driven;
            const error = Math.abs(output - wanted.outputs[i]);
            expect(error).toBeLessThan(0.02 * (1 + Math.abs(output)) + rounding);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('converts the off current with the rest when it is kept', () => {
    const layer: LayerInput = {
      codes: Int8Array.of(1, 0, 0),
      inputs: Uint8Array.of(1, 1, 1),
      ...{ rows: 3, columns: 1, vectors: 1, weightBits: 2, inputBits: 1 },
    };
    const device: DeviceModel = { onOffRatio: 3, offState: 'kept' };
    expect(run(layer, { device }).outputs[0]).toBeCloseTo(1 + 3 / 2, 6);
    expect(run(layer, { device: { ...device, offState: 'digital' } }).outputs[0]).toBeCloseTo(1, 6);
    // The converter sees 2.5 and clips it at 1 before the digital side takes off 1.5.
    const clipped = run({ ...layer, adc: { bits: 1 } }, { device: { ...device, offState: 'digital' } });
    expect(clipped.outputs[0]).toBeCloseTo(-0.5, 6);
    expect(clipped.saturated).toBe(1);
  });

  it('sums the very cells that were programmed', () => {
    const layer = { ...someLayer(40, 3, 5), tileRows: 16 };
    const job = layerJob(layer);
    const settings: AnalogSettings = { device: devicePreset('reram-neurram'), seed: 5, layer: 'conv' };
    const { arrays } = programLayer(job, settings);
    const wanted = new Float64Array(15);
    for (const [tile, { columns, values }] of arrays.entries()) {
      const rows = job.tiles[tile + 1] - job.tiles[tile];
      columns.forEach((column, i) => {
        const channel = Math.floor(column / job.readouts.length);
        for (let vector = 0; vector < 5; vector++) {
          for (let row = 0; row < rows; row++) {
            wanted[vector * 3 + channel] +=
              job.readouts[column % job.readouts.length].weight *
              job.inputs[vector * 40 + job.tiles[tile] + row] *
              values[i * rows + row];
          }
        }
      });
    }
    run(layer, settings).outputs.forEach((output, i) => {
      expect(output).toBeCloseTo(wanted[i], 0);
    });
  });

  it('draws the same, whatever parts the inputs are run in, in WebAssembly as in TypeScript', () => {
    const layer = { ...someLayer(150, 2, 9), adc: { bits: 5, step: 1.5 } };
    const settings: AnalogSettings = {
      device: devicePreset('pcm'),
      converter: { type: 'sar', capacitorSigma: 0.05, noise: 0.3, comparatorNoise: 0.1, offsetSigma: 0.2 },
      columnsPerAdc: 4,
      seed: 3,
      layer: 'conv 1',
    };
    const whole = run(layer, settings);
    expect(run(layer, { ...settings, portable: true })).toEqual(whole);
    const programmed = programLayer(layerJob(layer), settings);
    const parts = [
      [0, 4],
      [4, 9],
    ].map(([from, to]) => {
      const inputs = layer.inputs.slice(from * 150, to * 150) as Uint8Array;
      const job = layerJob({ ...layer, inputs, vectors: to - from });
      return analogEngine(job, { ...settings, firstVector: from }, programmed);
    });
    expect([...parts[0].outputs, ...parts[1].outputs]).toEqual([...whole.outputs]);
    expect(parts[0].saturated + parts[1].saturated).toBe(whole.saturated);
    expect(parts[0].conversions + parts[1].conversions).toBe(whole.conversions);
  });

  it('draws anew with another seed, and for another layer', () => {
    const layer = someLayer(30, 2, 3);
    const device = devicePreset('fefet');
    const first = run(layer, { device }).outputs;
    expect(run(layer, { device }).outputs).toEqual(first);
    expect(run(layer, { device, seed: 2 }).outputs).not.toEqual(first);
    expect(run(layer, { device, layer: 'other' }).outputs).not.toEqual(first);
  });

  it('adds read noise of the size that the driven cells have together', () => {
    const vectors = 20000;
    const codes = new Int8Array(64).fill(1);
    const inputs = new Uint8Array(64 * vectors).fill(1);
    const layer = { codes, inputs, rows: 64, columns: 1, vectors, weightBits: 2, inputBits: 1 };
    const readNoise = { kind: 'proportional', sigma: 0.05 } as const;
    const { outputs } = run(layer, { device: { readNoise } });
    const mean = outputs.reduce((a, b) => a + b) / vectors;
    const sigma = Math.sqrt(outputs.reduce((a, b) => a + (b - mean) ** 2, 0) / vectors);
    expect(mean).toBeCloseTo(64, 1);
    expect(Math.abs(sigma / 0.4 - 1)).toBeLessThan(0.03);
    // A pulse of 3 is three times the current, and so three times the noise.
    const large = { ...layer, inputs: inputs.map(() => 3), inputBits: 2, dacBits: 2 };
    const { outputs: tripled } = run(large, { device: { readNoise } });
    const three = Math.sqrt(tripled.reduce((a, b) => a + (b - 192) ** 2, 0) / vectors);
    expect(Math.abs(three / 1.2 - 1)).toBeLessThan(0.03);
  });

  it('adds the input noise of converters, in codes as stated, whatever the step and the pulses', () => {
    const vectors = 4000;
    const codes = new Int8Array(10).fill(1);
    const given = { codes, rows: 10, columns: 1, vectors, weightBits: 2, inputBits: 2 };
    for (const dacBits of [1, 2]) {
      const layer = { ...given, dacBits, inputs: new Uint8Array(10 * vectors).fill(1) };
      const adc = { bits: 8, step: 0.125 };
      const { outputs } = run({ ...layer, adc }, { converter: { type: 'ramp', noise: 4 } });
      // The plane of the upper bit converts a sum of 0: half of its noise is clipped. One pulse of 2 bits has no such plane.
      const mean = outputs.reduce((a, b) => a + b) / vectors;
      const sigma = Math.sqrt(outputs.reduce((a, b) => a + (b - mean) ** 2, 0) / vectors);
      const upper = dacBits === 1 ? 2 * 0.5 * Math.sqrt(0.5 - 1 / (2 * Math.PI)) : 0;
      expect(Math.abs(sigma / Math.hypot(0.5, upper) - 1)).toBeLessThan(0.06);
    }
  });

  it('gives the same with or without a record, noise and all', () => {
    const layer = { ...someLayer(40, 3, 6), adc: { bits: 5, step: 2 } };
    for (const converter of [
      { type: 'flash', noise: 0.4 },
      { type: 'sar', noise: 0.4, comparatorNoise: 0.2 },
    ] as const) {
      const settings = { device: devicePreset('sonos'), converter };
      const { outputs, saturated } = run(layer, settings);
      expect(run(layer, { ...settings, record: 'column' })).toMatchObject({ outputs, saturated });
    }
  });

  it('applies the pulse sizes of the DAC', () => {
    const layer = { ...someLayer(20, 2, 4), inputBits: 8, dacBits: 2 };
    const dacLevels = [0, 0.9, 2.2, 2.8];
    const { outputs } = run(layer, { dacLevels });
    for (let vector = 0; vector < 4; vector++) {
      for (let column = 0; column < 2; column++) {
        let wanted = 0;
        for (let row = 0; row < 20; row++) {
          const code = layer.inputs[vector * 20 + row];
          for (let plane = 0; plane < 4; plane++) {
            wanted += 4 ** plane * dacLevels[(code >> (2 * plane)) & 3] * layer.codes[row * 2 + column];
          }
        }
        expect(outputs[vector * 2 + column]).toBeCloseTo(wanted, 6);
      }
    }
    expect(() => run(layer, { dacLevels: [0, 1] })).toThrow(/dacLevels: 2 where 4 are needed/);
    expect(() => run(layer, { dacLevels: [1, 1, 2, 3] })).toThrow(/dacLevels\[0\]: 1; no pulse is 0/);
  });

  it('loses current in its wires, and none without resistance', () => {
    const layer = { ...someLayer(30, 2, 3), encoding: 'offset' as const };
    const ideal = run(layer).outputs;
    const wires = { rowResistance: 0, columnResistance: 0, arrayColumns: 5 };
    run(layer, { wires }).outputs.forEach((output, i) => {
      expect(Math.abs(output - ideal[i])).toBeLessThan(1e-3 * Math.abs(ideal[i]) + 1);
    });
    const resistive = { ...wires, rowResistance: 100, columnResistance: 100 };
    const sums = (settings: AnalogSettings) => {
      const [seen] = run(layer, { ...settings, record: 'layer' }).record!.sums;
      return seen.counts.reduce((sum, count, i) => sum + count * (seen.lowest + i), 0);
    };
    expect(sums({ wires: resistive })).toBeLessThan(0.99 * sums({}));
  });

  it('shares one converter among neighbouring columns, or gives each its own', () => {
    const job = layerJob({ ...someLayer(20, 4, 2), adc: { bits: 5 } });
    const converter = { type: 'sar', offsetSigma: 1 } as const;
    const made = (columnsPerAdc: number) => {
      const { columns, converters } = programLayer(job, { converter, columnsPerAdc }).arrays[0];
      expect(converters!.length).toBe(columns.length);
      return new Set(converters).size;
    };
    expect(made(1)).toBe(programLayer(job).arrays[0].columns.length);
    expect(made(14)).toBe(4);
    expect(made(128)).toBe(1);
  });

  it('takes a step for each layer, array or column, as the range policies choose them', () => {
    const layer = { ...someLayer(50, 2, 6), tileRows: 20, adc: { bits: 4 } };
    expect(run({ ...layer, adc: 'lossless' }, { record: 'column' }).record!.codes).toEqual([]);
    const range = { policy: 'maximum' } as const;
    for (const granularity of ['layer', 'array', 'column'] as const) {
      const seen = run({ ...layer, adc: 'lossless' }, { record: granularity }).record!.sums;
      const steps = chooseSteps(seen, granularity, { adc: { bits: 4 }, range, whole: false });
      const { saturated, outputs } = run({ ...layer, steps });
      expect(saturated).toBe(0);
      if (granularity !== 'layer') continue;
      expect(outputs).toEqual(run({ ...layer, adc: { bits: 4, step: steps.values[0] } }).outputs);
    }
  });

  it('records the sums and codes of all conversions, of the layer, each array or each column', () => {
    const adc = { bits: 3, step: 2 };
    const layer = { ...someLayer(30, 2, 5), tileRows: 16, adc };
    const total = (counts: Float64Array) => counts.reduce((a, b) => a + b, 0);
    const whole = run(layer, { record: 'layer' });
    expect(total(whole.record!.sums[0].counts)).toBe(whole.conversions);
    const { lowest, counts } = whole.record!.codes[0];
    expect([lowest, counts.length]).toEqual([0, 8]);
    const seen = new Float64Array(8);
    whole.record!.sums[0].counts.forEach((count, i) => {
      seen[convert(whole.record!.sums[0].lowest + i, adc) / 2] += count;
    });
    expect(counts).toEqual(seen);
    for (const record of ['array', 'column'] as const) {
      const parts = run(layer, { record }).record!;
      expect(parts.sums.length).toBe(record === 'array' ? 2 : 2 * 2 * 14);
      expect(mergeHistograms(parts.sums)).toEqual(whole.record!.sums[0]);
      expect(mergeHistograms(parts.codes)).toEqual(whole.record!.codes[0]);
    }
  });

  it('runs every preset cell with every kind of converter', () => {
    const layer = { ...someLayer(64, 2, 3), adc: { bits: 6 } };
    for (const name of devicePresetNames) {
      for (const type of converterTypes) {
        const settings = { device: devicePreset(name), converter: { type, noise: 0.1, offsetSigma: 0.1 } };
        expect(run(layer, settings).outputs.every(Number.isFinite)).toBe(true);
      }
    }
  });

  it('names the setting that is out of range', () => {
    const layer = someLayer(4, 1, 1);
    expect(() => run(layer, { converter: { type: 'sar' } })).toThrow(
      /converter: it needs an ADC of some bits/,
    );
    expect(() => run(layer, { columnsPerAdc: 0 })).toThrow(/columnsPerAdc: 0/);
    expect(() => run(layer, { seed: 0.5 })).toThrow(/seed: 0\.5/);
    expect(() => run(layer, { device: { onOffRatio: 0 } })).toThrow(/device\.onOffRatio: 0/);
    const turned = { ...layer, wiring: [Int32Array.of(3, 2, 1, 0)] };
    expect(() => run(turned)).toThrow(/wiring: .* where row i is driven by input i alone/);
    const programmed = programLayer(layerJob({ ...layer, tileRows: 2 }));
    expect(() => analogEngine(layerJob(layer), {}, programmed)).toThrow(/programmed: 2 arrays where 1/);
  });
});
