import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { certifyNetwork } from '../../src/experiments/certify-network';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { openIntegerModel } from '../../src/experiments/open-model';
import { rivalEntries, unprunedEntries } from '../../src/experiments/rival-entries';
import { rivalsClaims, rivalsFigures, rivalsTable } from '../../src/experiments/rivals-report';
import { compareTrained, type RivalsResult } from '../../src/experiments/rivals-study';
import { expectedVersusObtained } from '../../src/reports/expected-versus-obtained';
import { liveTensors } from '../../src/tensor/engine';
import { scratchFolder } from '../networks/scratch-folder';
import { dataset } from '../quantization/small-model';
import { model } from './mixed-model';

useFastEngines({ threads: 1 });

describe('compareTrained', () => {
  const scratch = scratchFolder();
  const folder = scratch('rivals');
  const compare = (change = {}) =>
    compareTrained({
      model,
      dataset,
      folder,
      tileRows: 16,
      adcBits: [2],
      batchSize: 16,
      calibration: 16,
      iterations: 2,
      patches: 200,
      clippedPictures: 8,
      ...change,
    });
  let result: RivalsResult;
  beforeAll(async () => {
    result = await compare();
  });

  it('trains every rival and ablation equally long, and none of the networks it writes can clip', () => {
    const trained = result.rows.filter(({ kind }) => kind !== 'unpruned');
    expect(trained.map(({ name }) => name)).toEqual(rivalEntries.map(({ name }) => name));
    for (const row of trained) {
      expect(row.curve).toHaveLength(2);
      expect(row.accuracy.pictures).toBe(dataset.test.count);
      expect(row.lossless).toBe(true);
      const { network } = openIntegerModel(join(folder, `${row.name}-adc2.safetensors`));
      const { requiredAdcBits, nonzeroShare } = certifyNetwork(network, 16);
      expect(requiredAdcBits).toBe(row.requiredAdcBits);
      expect(nonzeroShare).toBe(row.nonzeroShare);
      expect(row.dropFromFloat).toBeCloseTo(result.float.top1 - row.accuracy.top1, 9);
      // Those whose bits training itself chooses have no accuracy before it.
      expect(row.before === undefined).toBe(row.name === 'network-admm');
    }
    const value = result.rows.find(({ name }) => name === 'value-only')!;
    const ours = result.rows.find(({ name }) => name === 'hierarchical')!;
    expect(value.nonzeroShare).toBeLessThan(ours.nonzeroShare);
  });

  it('repeats ours and the nearest rival with other seeds, which are no copies of the first', async () => {
    const repeated = result.rows.filter(({ bySeed }) => bySeed);
    expect(repeated.map(({ name }) => name)).toEqual(['hierarchical', 'greedy']);
    for (const row of repeated) {
      expect(row.bySeed).toHaveLength(3);
      expect(row.bySeed![0]).toBe(row.accuracy.top1);
      const shown = rivalsTable(result).rows.find(({ title }) => title === row.title)!;
      expect(shown.seeds).toBe(3);
      expect(shown.mean).toBeCloseTo(row.bySeed!.reduce((sum, top1) => sum + top1, 0) / 3, 9);
    }
    const codes = [2, 3].map((seed) => {
      const file = openIntegerModel(join(folder, `seed${seed}`, 'hierarchical-adc2.safetensors'));
      return [...file.network.layers.values()].flatMap((layer) => [...layer.codes]);
    });
    expect(codes[0]).not.toEqual(codes[1]);
    const { rows } = await compare({ entries: rivalEntries.slice(0, 1), unpruned: [], seeds: 1 });
    expect(rows[0].bySeed).toBeUndefined();
  });

  it('sets beside them the unpruned network, reading few rows at a time or clipping', () => {
    const [limited, clipped] = result.rows.filter(({ kind }) => kind === 'unpruned');
    expect(limited).toMatchObject({
      name: 'row-limited',
      accuracy: result.integer,
      dropFrom8bit: 0,
      curve: [],
    });
    expect(limited.lossless).toBe(true);
    expect(limited.conversions).toBeGreaterThan(4 * clipped.conversions);
    expect(clipped).toMatchObject({ name: 'clipped', lossless: false, accuracy: { pictures: 8 } });
    expect(clipped.requiredAdcBits).toBeGreaterThan(2);
    const table = rivalsTable(result).rows;
    expect(table.find(({ kind, lossless }) => kind === 'unpruned' && lossless === 'clips')).toBeDefined();
    const drawn = rivalsFigures(result).get('08-rivals')!.data as { name: string; y: number[] }[];
    const line = drawn.find(({ name }) => name.startsWith('clipped'))!;
    expect(line.y[0]).toBeCloseTo(result.float.top1 - clipped.dropFromFloat, 9);
  });

  it('goes on where it was, and leaves no tensor behind', async () => {
    const name = 'projection-adc2.safetensors';
    rmSync(join(folder, name));
    const before = liveTensors();
    const again = await compare();
    expect(liveTensors()).toBe(before);
    expect(existsSync(join(folder, name))).toBe(true);
    again.rows.forEach((row, i) => {
      if (row.name === 'projection') expect(row.accuracy).toEqual(result.rows[i].accuracy);
      else expect(row).toEqual(result.rows[i]);
    });
  });

  it('is not stopped by the states that a training with other settings left', async () => {
    for (const entry of rivalEntries.filter(({ name }) => ['hierarchical', 'bit-slice-l1'].includes(name))) {
      const { rows } = await compare({ entries: [entry], unpruned: [], seeds: 1, rate: 0.01 });
      expect(rows.map(({ name }) => name)).toEqual([entry.name]);
    }
  });

  it('measures ablations at the lowest resolution alone, and rivals at all', async () => {
    const wanted = rivalEntries.filter(({ name }) => ['hierarchical', 'greedy', 'projection'].includes(name));
    const { rows } = await compare({ adcBits: [2, 3], entries: wanted, unpruned: [] });
    expect(rows.map(({ name, adcBits }) => `${name} ${adcBits}`)).toEqual([
      'hierarchical 2',
      'greedy 2',
      'projection 2',
      'hierarchical 3',
      'greedy 3',
    ]);
  });

  it('shows ours beside rivals and ablations, and fails where a rival leads or a conversion can clip', () => {
    expect(rivalsTable(result).rows).toHaveLength(rivalEntries.length + unprunedEntries.length);
    const figures = rivalsFigures(result);
    expect([...figures.keys()]).toEqual(['08-rivals', '08-ablations']);
    const names = (name: string) => figures.get(name)!.data.map((trace) => (trace as { name: string }).name);
    expect(names('08-rivals')).toEqual(
      [...rivalEntries, ...unprunedEntries]
        .filter(({ kind }) => kind !== 'ablation')
        .map(({ title }) => title),
    );
    const [bars] = figures.get('08-ablations')!.data as {
      x: string[];
      y: number[];
      error_y: { array: number[] };
    }[];
    const shown = result.rows.filter(({ kind }) => kind === 'ours' || kind === 'ablation');
    expect(bars.x.map((name) => name.replaceAll('<br>', ' '))).toEqual(shown.map(({ title }) => title));
    expect(bars.y).toEqual(shown.map(({ dropFromFloat }) => dropFromFloat));
    // Of the difference of two accuracies: wider than that of either.
    bars.error_y.array.forEach((width, i) => {
      expect(width).toBeCloseTo(Math.hypot(shown[i].accuracy.interval, result.float.interval), 9);
    });
    const verdict = (change: Partial<RivalsResult>) => {
      const { claims, obtained } = rivalsClaims({ ...result, realData: true, ...change });
      return expectedVersusObtained(claims, obtained).passed;
    };
    const withTop1 = (kind: string, top1: number) =>
      result.rows.map((row) => (row.kind === kind ? { ...row, accuracy: { ...row.accuracy, top1 } } : row));
    expect(verdict({ rows: withTop1('rival', 0) })).toBe(true);
    expect(verdict({ rows: withTop1('rival', 100) })).toBe(false);
    expect(
      verdict({ rows: withTop1('rival', 0).map((row, i) => (i === 3 ? { ...row, lossless: false } : row)) }),
    ).toBe(false);
  });

  it('refuses a single epoch, which network ADMM and retraining cannot share', async () => {
    await expect(compare({ epochs: 1 })).rejects.toThrow(/epochs: 1 is not a whole number of at least 2/);
  });
});
