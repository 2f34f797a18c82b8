import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { analogEngine } from '../../src/crossbar/analog-engine';
import { columnLoads } from '../../src/crossbar/column-loads';
import { layerJob } from '../../src/crossbar/layer-job';
import { createCircuitSimulator, createLayerSimulator, engines } from '../../src/crossbar/layer-simulator';
import { simulateLayer } from '../../src/crossbar/simulate-layer';
import { stuckCells } from '../../src/crossbar/stuck-cells';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { randomStream } from '../../src/tensor/random';
import { planeBitsFor, randomAdcs, randomLayers, randomSteps, stepsFor } from './random-layers';

useFastEngines({ threads: 1 });
afterAll(() => useFastEngines({ threads: 1 }));

const floats = (values: ArrayLike<number>) => Float64Array.from(values);

describe('createCircuitSimulator', () => {
  it('gives what the other engines give when the circuit is ideal', () => {
    fc.assert(
      fc.property(
        randomLayers,
        randomAdcs,
        fc.option(randomSteps),
        fc.option(fc.nat()),
        (layer, any, choice, seed) => {
          const { inputs, vectors } = layer;
          const adc = seed === null ? any : { ...any, bits: planeBitsFor(layer, seed) };
          const read = { ...layer, adc, ...(choice && { steps: stepsFor(layer, choice) }) };
          const simulator = createCircuitSimulator(layerJob(read), {});
          const wanted = simulateLayer(read);
          expect(simulator.run(inputs, vectors)).toEqual({ ...wanted, outputs: floats(wanted.outputs) });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('gives the same on one thread and on two, noise included, whether vectors come at once or in turn', () => {
    const random = randomStream(3, 'layer');
    const [rows, columns, vectors] = [60, 4, 700];
    const codes = Int8Array.from({ length: rows * columns }, () => random.integer(255) - 127);
    const inputs = Uint8Array.from({ length: rows * vectors }, () => random.integer(256));
    const circuit = {
      device: {
        programming: { kind: 'lognormal', sigma: 0.1 },
        readNoise: { kind: 'proportional', sigma: 0.05 },
      },
      seed: 5,
    } as const;
    const layer = { codes, rows, columns, adc: { bits: 5 } };
    const run = (threads: number, cut: number) => {
      useFastEngines({ threads });
      const simulator = createCircuitSimulator(layer, circuit);
      const parts = [
        simulator.run(inputs.slice(0, cut * rows), cut),
        simulator.run(inputs.slice(cut * rows), vectors - cut),
      ];
      return parts.flatMap(({ outputs }) => [...outputs]);
    };
    const one = run(1, 300);
    expect(run(2, 300)).toEqual(one);
    expect(run(1, 512)).toEqual(one);
    expect(one).not.toEqual([...simulateLayer({ ...layer, inputs, vectors }).outputs]);
  });

  it('wires rows and groups as the other engines do', () => {
    const random = randomStream(1, 'wiring');
    const [rows, columns, inputRows, vectors] = [20, 6, 50, 30];
    const codes = Int8Array.from({ length: rows * columns }, () => random.integer(255) - 127);
    const inputs = Uint8Array.from({ length: vectors * inputRows }, () => random.integer(256));
    const wiring = [0, 1].map(() => random.permutation(inputRows).slice(0, rows));
    const own = { codes, rows, columns, tileRows: 8, inputRows, wiring, adc: { bits: 3 } };
    const steps = stepsFor(
      { ...own, inputs, vectors },
      { seed: 1, granularity: 'column', choice: [1, 2, 3] },
    );
    const layer = { ...own, steps };
    const wanted = createLayerSimulator(layer).run(inputs, vectors);
    expect(createCircuitSimulator(layer, {}).run(inputs, vectors)).toEqual({
      ...wanted,
      outputs: floats(wanted.outputs),
    });
  });
});

describe('stuckCells', () => {
  const devices = fc.record({
    stuckOff: fc.constantFrom(0, 0.05, 0.3),
    stuckOn: fc.constantFrom(0, 0.05, 0.3),
  });

  it('runs on the integer engines what the analog engine draws, to the bit', () => {
    let faulty = 0;
    fc.assert(
      fc.property(
        randomLayers,
        randomAdcs,
        randomSteps,
        devices,
        fc.nat(99),
        (layer, adc, choice, device, seed) => {
          const job = layerJob({ ...layer, adc, steps: stepsFor(layer, choice) });
          const circuit = { device, seed };
          const cells = stuckCells(job, circuit);
          if (!cells) return;
          faulty++;
          const wanted = analogEngine(job, circuit);
          for (const engine of engines) {
            const { outputs, saturated, conversions } = createLayerSimulator(cells, engine).run(
              layer.inputs,
              layer.vectors,
            );
            expect(floats(outputs)).toEqual(wanted.outputs);
            expect([saturated, conversions]).toEqual([wanted.saturated, wanted.conversions]);
          }
          const most = columnLoads({ ...job, ...cells });
          expect(most.conversions).toBe(columnLoads(job).conversions);
        },
      ),
      { numRuns: 80 },
    );
    expect(faulty).toBeGreaterThan(20);
  });

  it('leaves every other circuit to the analog engine', () => {
    const layer = layerJob({
      codes: Int8Array.of(1),
      rows: 1,
      columns: 1,
      inputs: Uint8Array.of(1),
      vectors: 1,
    });
    expect(stuckCells(layer, {})).toBeUndefined();
    for (const more of [
      { onOffRatio: 10 },
      { programming: { kind: 'absolute', sigma: 0.1 } as const },
      { readNoise: { kind: 'absolute', sigma: 0.1 } as const },
    ])
      expect(stuckCells(layer, { device: { stuckOn: 0.1, ...more } })).toBeUndefined();
    const wires = { rowResistance: 1, columnResistance: 1 } as never;
    expect(stuckCells(layer, { device: { stuckOn: 0.1 }, wires })).toBeUndefined();
  });
});
