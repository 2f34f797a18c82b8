import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { useCompiledKernel } from '../../src/crossbar/compiled-kernel';
import { createLayerSimulator, type Engine, engines } from '../../src/crossbar/layer-simulator';
import { inputPatches } from '../../src/crossbar/patches';
import { simulateLayer } from '../../src/crossbar/simulate-layer';
import { speedWorkload } from '../../src/crossbar/speed-workload';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { randomStream } from '../../src/tensor/random';
import { stepsFor } from './random-layers';

useFastEngines({ threads: 1 });
afterAll(() => useFastEngines({ threads: 1 }));

/** A convolution of random codes, some in two's complement, with its layer. */
const convolutions = fc
  .record({
    seed: fc.nat(),
    count: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 3, max: 13 }),
    width: fc.integer({ min: 3, max: 13 }),
    channels: fc.constantFrom(1, 3, 16, 17),
    columns: fc.integer({ min: 1, max: 3 }),
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 2 }),
    before: fc.integer({ min: 0, max: 2 }),
    after: fc.integer({ min: 0, max: 2 }),
    paddingCode: fc.constantFrom(0, 5),
    signed: fc.boolean(),
    encoding: fc.constantFrom('sign-split', 'offset'),
    bits: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ seed, before, after, signed, encoding, bits, columns, ...shape }) => {
    const random = randomStream(seed, 'convolution');
    const { count, height, width, channels, kernel } = shape;
    const rows = kernel * kernel * channels;
    const pixels = Uint8Array.from({ length: count * height * width * channels }, () => random.integer(256));
    const codes = Int8Array.from({ length: rows * columns }, () => random.integer(255) - 127);
    const layer = {
      codes,
      rows,
      columns,
      tileRows: 32,
      encoding: encoding as 'sign-split' | 'offset',
      inputForm: signed ? ('twos-complement' as const) : ('unsigned' as const),
      adc: { bits },
    };
    const inputs = signed ? new Int8Array(pixels.buffer) : pixels;
    return { layer, inputs, pictures: shape, convolution: { ...shape, padding: [before, after] as const } };
  });

describe('createLayerSimulator', () => {
  it('convolves pictures as it converts their patches, on both engines', () => {
    fc.assert(
      fc.property(convolutions, ({ layer, inputs, pictures, convolution }) => {
        const patches = inputPatches<Uint8Array | Int8Array>(inputs, pictures, convolution);
        const expected = simulateLayer({ ...layer, ...patches }, 'reference');
        for (const engine of engines)
          expect(createLayerSimulator(layer, engine).convolve(inputs, pictures, convolution)).toEqual(
            expected,
          );
      }),
      { numRuns: 60 },
    );
  });

  it('drives rows by the elements that the wiring names, each group of columns by its own', () => {
    const random = randomStream(1, 'wiring');
    const [rows, columns, inputRows, vectors] = [20, 6, 50, 150];
    const codes = Int8Array.from({ length: rows * columns }, () => random.integer(255) - 127);
    const inputs = Uint8Array.from({ length: vectors * inputRows }, () => random.integer(256));
    const wiring = [0, 1].map(() => random.permutation(inputRows).slice(0, rows));
    const layer = { codes, rows, columns, tileRows: 8, inputRows, wiring, adc: { bits: 2 } };
    const width = columns / wiring.length;
    const expected = wiring.map((elements, group) =>
      simulateLayer({
        codes: codes.filter((_, i) => Math.floor((i % columns) / width) === group),
        rows,
        columns: width,
        tileRows: 8,
        inputs: Uint8Array.from(
          { length: vectors * rows },
          (_, i) => inputs[Math.floor(i / rows) * inputRows + elements[i % rows]],
        ),
        vectors,
        adc: { bits: 2 },
      }),
    );
    for (const engine of engines) {
      const { outputs, saturated } = createLayerSimulator(layer, engine).run(inputs, vectors);
      for (let i = 0; i < outputs.length; i++) {
        const column = i % columns;
        const own = expected[Math.floor(column / width)].outputs;
        expect(outputs[i]).toBe(own[Math.floor(i / columns) * width + (column % width)]);
      }
      expect(saturated).toBe(expected[0].saturated + expected[1].saturated);
    }
  });

  it('gives the same on one thread and on three', () => {
    const { inputs, rows, ...workload } = speedWorkload();
    const layer = { ...workload, rows, inputs: inputs.slice(0, 300 * rows), vectors: 300 };
    const steps = stepsFor(layer, { seed: 1, granularity: 'column', choice: [1, 2, 5] });
    const results = [1, 3].map((threads) => {
      useFastEngines({ threads });
      return [
        simulateLayer(layer),
        simulateLayer({ ...layer, adc: { bits: 3, step: 3 } }, 'compiled', true),
        simulateLayer({ ...layer, adc: { bits: 5 } }),
        simulateLayer({ ...layer, adc: { bits: 3 }, steps }),
      ];
    });
    expect(results[1]).toEqual(results[0]);
  });

  it('runs on the reference engine where there is no compiled kernel', () => {
    useCompiledKernel(undefined);
    const layer = { codes: Int8Array.of(3), rows: 1, columns: 1 };
    expect(createLayerSimulator(layer).run(Uint8Array.of(7), 1).outputs).toEqual(Int32Array.of(21));
    expect(() => createLayerSimulator(layer, 'compiled')).toThrow(/compiled kernel is not there/);
    expect(() => createLayerSimulator(layer, 'fast' as Engine)).toThrow(/engine: "fast" is unknown/);
  });

  it('refuses wiring that is no list of input elements', () => {
    const layer = { codes: new Int8Array(2), rows: 2, columns: 1 };
    for (const bad of [[0, 2], [0.5, 1], [Number.NaN, 1], [0]])
      expect(() => createLayerSimulator({ ...layer, wiring: [bad as unknown as Int32Array] })).toThrow(
        /wiring\[0\]: 2 elements of 0\.\.1/,
      );
  });

  it.each([
    ['a kernel that does not fit the layer', { channels: 2 }, {}, /kernel: 3 x 3 x 2 channels .* 9 inputs/],
    ['pixels of another size', { width: 9 }, {}, /inputs: .*/],
  ])('refuses %s', (_, pictures, convolution, message) => {
    useFastEngines({ threads: 1 });
    const simulator = createLayerSimulator({ codes: new Int8Array(9), rows: 9, columns: 1 });
    expect(() =>
      simulator.convolve(
        new Uint8Array(64),
        { count: 1, height: 8, width: 8, channels: 1, ...pictures },
        { kernel: 3, ...convolution },
      ),
    ).toThrow(message);
  });
});
