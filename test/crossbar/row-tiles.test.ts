import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowTiles } from '../../src/crossbar/row-tiles';

describe('rowTiles', () => {
  it('cuts fixed tiles of R rows, the last shorter', () => {
    expect([...rowTiles(144, 128)]).toEqual([0, 128, 144]);
  });
  it('cuts even tiles like CrossSim where they divide the rows', () => {
    expect([...rowTiles(144, 128, 'even')]).toEqual([0, 72, 144]);
  });
  it('never exceeds R and covers every row once', () => {
    const whole = fc.integer({ min: 1, max: 700 });
    fc.assert(
      fc.property(whole, whole, fc.constantFrom('fixed', 'even' as const), (rows, tileRows, split) => {
        const starts = rowTiles(rows, tileRows, split as 'even');
        const sizes = [...starts.slice(1)].map((end, tile) => end - starts[tile]);
        expect(starts[0]).toBe(0);
        expect(starts.at(-1)).toBe(rows);
        expect(sizes.length).toBe(Math.ceil(rows / tileRows));
        expect(Math.min(...sizes)).toBeGreaterThan(0);
        expect(Math.max(...sizes)).toBeLessThanOrEqual(tileRows);
        if (split === 'even') expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
  it('refuses sizes that are no whole positive numbers and unknown splits', () => {
    expect(() => rowTiles(0, 128)).toThrow(/rows: 0/);
    expect(() => rowTiles(10, 1.5)).toThrow(/tileRows: 1\.5/);
    expect(() => rowTiles(10, 5, 'odd' as 'even')).toThrow(/rowSplit: "odd"/);
  });
});
