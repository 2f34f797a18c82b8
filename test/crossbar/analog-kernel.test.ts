import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analogKernel, lanes } from '../../src/crossbar/analog-kernel';
import { buildConverter } from '../../src/crossbar/build-converter';
import { compiledKernel } from '../../src/crossbar/compiled-kernel';
import { type ConverterModel, converterTypes } from '../../src/crossbar/converter-model';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { randomStream } from '../../src/tensor/random';

useFastEngines({ threads: 1 });

describe('analogKernel', () => {
  const cases = fc.record({
    // Up to 128 rows each number of groups has a loop of its own.
    rows: fc.oneof(fc.integer({ min: 1, max: 128 }), fc.integer({ min: 129, max: 500 })),
    count: fc.integer({ min: 1, max: 20 }),
    columns: fc.integer({ min: 1, max: lanes }),
    seed: fc.nat(),
  });

  it('has the compiled kernel to compare with', () => {
    expect(compiledKernel()).toBeDefined();
  });

  it('adds the cells of the rows that are driven, exactly for whole numbers, in WebAssembly as in TypeScript', () => {
    fc.assert(
      fc.property(cases, ({ rows, count, columns, seed }) => {
        const random = randomStream(seed, 'case');
        const values = Float32Array.from({ length: rows * columns }, () => random.integer(4096) - 2048);
        const driven = Uint8Array.from({ length: rows * count }, () => random.integer(2));
        const starts = Array.from({ length: columns }, (_, lane) => lane * rows);
        for (const portable of [false, true]) {
          const kernel = analogKernel(rows, count, 0, portable);
          for (let at = 0; at < count; at++) {
            for (let row = 0; row < rows; row++) {
              if (driven[at * rows + row])
                kernel.patterns[at * kernel.groups + (row >> 3)] |= 16 << (row & 7);
            }
          }
          kernel.setCells(values, starts);
          kernel.run(count, 'others');
          for (let at = 0; at < count; at++) {
            for (let lane = 0; lane < lanes; lane++) {
              let sum = 0;
              for (let row = 0; row < rows && lane < columns; row++) {
                sum += driven[at * rows + row] * values[starts[lane] + row];
              }
              expect(kernel.others[at * lanes + lane]).toBe(sum);
            }
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('gives the same bits in WebAssembly as in TypeScript for real cells', () => {
    fc.assert(
      fc.property(cases, ({ rows, count, seed }) => {
        const runs = [false, true].map((portable) => {
          const random = randomStream(seed, 'case');
          const kernel = analogKernel(rows, count, 0, portable);
          for (let i = 0; i < kernel.patterns.length; i++) kernel.patterns[i] = random.integer(256) << 4;
          const values = Float32Array.from({ length: rows * lanes }, () => random.normal());
          kernel.setCells(
            values,
            Array.from({ length: lanes }, (_, lane) => lane * rows),
          );
          kernel.run(count, 'sums');
          return kernel.sums;
        });
        expect(runs[0]).toEqual(runs[1]);
      }),
      { numRuns: 100 },
    );
  });

  it('converts and adds what the converter itself would, in WebAssembly as in TypeScript', () => {
    const cases = fc.record({
      bits: fc.integer({ min: 2, max: 7 }),
      step: fc.constantFrom(1, 1.7, 3),
      signed: fc.boolean(),
      type: fc.constantFrom(...converterTypes),
      error: fc.constantFrom(0, 0.2, 2),
      vectors: fc.integer({ min: 1, max: 9 }),
      planes: fc.integer({ min: 1, max: 8 }),
      offset: fc.constantFrom(0, 0.25),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, ({ bits, step, signed, type, error, vectors, planes, offset, seed }) => {
        const model = { type, inlSigma: error, offsetSigma: error, gainSigma: error / 10 } as ConverterModel;
        const converter = buildConverter({ bits, step, signed }, model, randomStream(seed, 'c'));
        const factors = Float64Array.from({ length: planes }, (_, plane) => -(2 ** plane));
        for (const portable of [false, true]) {
          const random = randomStream(seed, 'sums');
          const kernel = analogKernel(8, 72, converter.levels.length, portable);
          let saturated = 0;
          const wanted = new Float64Array(vectors);
          for (let i = 0; i < vectors * planes; i++) {
            const sum = random.integer(2) ? random.integer(200) - 50 : 100 * random.normal();
            kernel.column[i] = sum;
            kernel.pulses[i] = random.integer(9);
            if (converter.clips(sum)) saturated++;
            wanted[Math.floor(i / planes)] +=
              factors[i % planes] * (converter.convert(sum) - offset * kernel.pulses[i]);
          }
          const column = { converter, factors, offset };
          expect(kernel.convertAndAdd(column, 2, vectors)).toBe(saturated);
          wanted.forEach((output, vector) => {
            expect([...kernel.outputs.slice(4 * vector, 4 * vector + 4)]).toEqual([0, 0, output, 0]);
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  it('converts four columns at once as one by one, each with a converter of its own', () => {
    const cases = fc.record({
      bits: fc.integer({ min: 2, max: 9 }),
      step: fc.constantFrom(1, 1.7, 3, 7 / 3),
      signed: fc.boolean(),
      type: fc.constantFrom(...converterTypes),
      error: fc.constantFrom(0, 0.1, 0.2),
      vectors: fc.integer({ min: 1, max: 9 }),
      planes: fc.integer({ min: 1, max: 8 }),
      columns: fc.integer({ min: 1, max: lanes }),
      seed: fc.nat(),
    });
    let done = 0;
    fc.assert(
      fc.property(cases, ({ bits, step, signed, type, error, vectors, planes, columns, seed }) => {
        const model = { type, inlSigma: error, offsetSigma: 9 * error, gainSigma: error } as ConverterModel;
        const random = randomStream(seed, 'sums');
        const kernel = analogKernel(8, 72, 2 ** bits);
        const given = Array.from({ length: columns }, (_, lane) => ({
          converter: buildConverter(
            { bits, step: step * (1 + lane), signed },
            model,
            randomStream(seed, `c ${lane}`),
          ),
          factors: Float64Array.from({ length: planes }, (_, plane) => -(2 ** (plane + lane))),
          offset: 0.25 * lane,
        }));
        for (let i = 0; i < vectors * planes; i++) kernel.pulses[i] = random.integer(9);
        for (let i = 0; i < vectors * planes * lanes; i++) {
          kernel.sums[i] = random.integer(2) ? random.integer(1000) / 2 - 150 : 100 * random.normal();
        }
        const saturated = kernel.convertLanes(given, vectors);
        if (saturated === undefined) return;
        done++;
        const together = kernel.outputs.slice(0, vectors * lanes);
        kernel.outputs.fill(0);
        let clipped = 0;
        given.forEach((column, lane) => {
          for (let i = 0; i < vectors * planes; i++) kernel.column[i] = kernel.sums[i * lanes + lane];
          clipped += kernel.convertAndAdd(column, lane, vectors);
        });
        expect(saturated).toBe(clipped);
        for (let i = 0; i < vectors * lanes; i++) {
          if (i % lanes < columns) expect(together[i]).toBe(kernel.outputs[i]);
        }
      }),
      { numRuns: 300 },
    );
    expect(done).toBeGreaterThan(100);
  });
});
