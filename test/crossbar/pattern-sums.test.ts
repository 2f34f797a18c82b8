import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lanes, patternSums } from '../../src/crossbar/pattern-sums';
import { randomStream } from '../../src/tensor/random';

describe('patternSums', () => {
  const cases = fc.record({
    rows: fc.integer({ min: 1, max: 300 }),
    count: fc.integer({ min: 1, max: 20 }),
    columns: fc.integer({ min: 1, max: lanes }),
    seed: fc.nat(),
  });

  it('adds the cells of the rows that are driven, exactly for whole numbers, in WebAssembly as in TypeScript', () => {
    fc.assert(
      fc.property(cases, ({ rows, count, columns, seed }) => {
        const random = randomStream(seed, 'case');
        const values = Float32Array.from({ length: rows * columns }, () => random.integer(4096) - 2048);
        const driven = Uint8Array.from({ length: rows * count }, () => random.integer(2));
        const starts = Array.from({ length: columns }, (_, lane) => lane * rows);
        for (const portable of [false, true]) {
          const kernel = patternSums(rows, count, portable);
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
      { numRuns: 60 },
    );
  });

  it('gives the same bits in WebAssembly as in TypeScript for real cells', () => {
    fc.assert(
      fc.property(cases, ({ rows, count, seed }) => {
        const runs = [false, true].map((portable) => {
          const random = randomStream(seed, 'case');
          const kernel = patternSums(rows, count, portable);
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
      { numRuns: 60 },
    );
  });
});
