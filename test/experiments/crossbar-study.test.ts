import { beforeAll, describe, expect, it } from 'vitest';
import { evenTileRows } from '../../src/bitplanes/even-tile-rows';
import { stepGranularities } from '../../src/crossbar/adc-steps';
import { benchNetwork } from '../../src/experiments/bench-network';
import {
  crossbarClaims,
  crossbarFigures,
  crossbarTable,
  observedTable,
  schemesTable,
  severityTable,
} from '../../src/experiments/crossbar-report';
import { type CrossbarStudyResult, crossbarStudy } from '../../src/experiments/crossbar-study';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { networkSteps } from '../../src/experiments/network-steps';
import { runCrossbar } from '../../src/experiments/run-crossbar';
import { simulateNetwork } from '../../src/experiments/simulate-network';
import { errorKinds } from '../../src/experiments/studied-devices';
import { initialParameters } from '../../src/networks/initial-parameters';
import { networkByName } from '../../src/networks/network-by-name';
import { saveParameters } from '../../src/networks/save-parameters';
import { expectedVersusObtained } from '../../src/reports/expected-versus-obtained';
import { PALETTE } from '../../src/reports/figure';
import { scratchFolder } from '../networks/scratch-folder';
import { dataset, pictures } from '../quantization/small-model';
import { model, network, pruned, tileRows } from './mixed-model';

useFastEngines({ threads: 1 });

const scratch = scratchFolder();

describe('simulateNetwork', () => {
  const settings = { tileRows, limit: 16 };

  it('measures one ideal network however many seeds there are, and each circuit of a device', () => {
    const ideal = simulateNetwork(network, dataset.test, { ...settings, adc: { bits: 3 }, seeds: [1, 2] });
    expect(ideal.bySeed.map(({ seed }) => seed)).toEqual([1]);
    const device = { programming: { kind: 'lognormal', sigma: 0.3 } } as const;
    const varied = simulateNetwork(network, dataset.test, {
      ...settings,
      adc: { bits: 3 },
      circuit: { device },
      seeds: [1, 2, 3],
    });
    const top1 = varied.bySeed.map((own) => own.top1);
    expect(top1.length).toBe(3);
    expect(varied.accuracy.top1).toBeCloseTo(top1.reduce((sum, value) => sum + value, 0) / 3, 10);
    const { top1: mean, pictures: count, interval } = varied.accuracy;
    expect(interval).toBeGreaterThanOrEqual(1.96 * Math.sqrt((mean * (100 - mean)) / count) - 1e-9);
  });

  it('chooses steps for layers, arrays or columns, wider ones for fewer bits', () => {
    for (const granularity of stepGranularities) {
      const steps = (bits: number) =>
        simulateNetwork(network, dataset.test, {
          ...settings,
          limit: 1,
          adc: { bits },
          range: { policy: { policy: 'maximum' }, granularity, pictures },
        }).steps;
      const [two, four] = [steps(2), steps(4)];
      expect(Object.keys(two)).toEqual([...network.layers.keys()]);
      for (const [name, { rows }] of network.layers) {
        two[name].forEach((step, i) => {
          expect(step).toBeGreaterThanOrEqual(four[name][i]);
        });
        const arrays = Math.ceil(rows / tileRows);
        if (granularity === 'layer') expect(two[name].length).toBe(1);
        else if (granularity === 'array') expect(two[name].length).toBe(arrays);
        else expect(two[name].length).toBeGreaterThan(arrays);
      }
      expect(Math.max(...Object.values(two).flat())).toBeGreaterThan(1);
    }
  });
});

describe('networkSteps', () => {
  it('spans the largest sum of each array at full scale, and nothing less than 1', () => {
    const range = { policy: { policy: 'full-scale' }, granularity: 'array', pictures } as const;
    const steps = networkSteps(network, { tileRows, adc: { bits: 2 } }, range);
    for (const [name, { rows }] of network.layers) {
      const height = evenTileRows(rows, tileRows);
      const heights = Array.from({ length: Math.ceil(rows / height) }, (_, array) =>
        Math.min(height, rows - array * height),
      );
      expect([...steps.get(name)!.values]).toEqual(heights.map((own) => Math.ceil(own / 3)));
    }
  });

  it('keeps 1 everywhere in a network pruned for its ADCs', () => {
    const { adcBits } = pruned.network.pruning!;
    const policy = { policy: 'minimum-mse' } as const;
    for (const granularity of stepGranularities) {
      const range = { policy, granularity, pictures };
      const steps = networkSteps(pruned.network, { tileRows, adc: { bits: Number(adcBits) } }, range);
      for (const { values } of steps.values()) expect([...new Set(values)]).toEqual([1]);
    }
  });
});

describe('benchNetwork', () => {
  it('times a network whose lossless crossbars agree with the tensor engine', () => {
    const result = benchNetwork(
      network,
      { ...pictures, count: 4, pixels: pictures.pixels.subarray(0, 4 * 768) },
      {
        tileRows,
        adc: { bits: 2 },
        repeats: 1,
      },
    );
    expect(result).toMatchObject({ pictures: 4, repeats: 1, threads: 1 });
    expect(result.picturesPerSecond).toBeGreaterThan(0);
  });
});

describe('crossbarStudy', () => {
  let result: CrossbarStudyResult;
  beforeAll(() => {
    result = crossbarStudy({
      model,
      pruned,
      dataset,
      folder: scratch('crossbar'),
      adcBits: [2, 5],
      testPictures: 16,
      clippedPictures: 12,
      stuckPictures: 10,
      variedPictures: 8,
      circuits: 2,
      readoutVectors: 16,
    });
  });

  it('measures every network at every resolution on ideal crossbars, and what can differ on circuits that err', () => {
    expect(result.points.length).toBe(4 * 2 + 3 * 3);
    for (const { network, device, adcBits } of result.points)
      if (device !== 'ideal') {
        expect(network).not.toBe('dense-calibrated');
        expect(adcBits).toBe(2);
      }
    for (const { network, adcBits, device, bySeed, accuracy } of result.points) {
      expect(bySeed.length).toBe(device === 'ideal' ? 1 : 2);
      if (device !== 'ideal') expect(accuracy.pictures).toBe(device === 'stuck' ? 10 : 8);
      else if (network === 'pruned') expect(accuracy.pictures).toBe(16);
      else if (adcBits === 2) expect(accuracy.pictures).toBe(12);
    }
    expect(result.prunedBits).toBe(2);
  });

  it('measures three lines at every severity of every error, the usual one as among the ADC bits', () => {
    expect(result.severities.length).toBe(errorKinds.reduce((sum, { levels }) => sum + 3 * levels.length, 0));
    for (const { kind, level, network, adcBits, accuracy, bySeed } of result.severities) {
      expect(adcBits).toBe(network === 'dense' ? result.denseBits : result.prunedBits);
      expect([accuracy.pictures, bySeed.length]).toEqual([kind === 'stuck' ? 10 : 8, 2]);
      if (level !== errorKinds.find(({ name }) => name === kind)!.usual) continue;
      const same = result.points.find(
        (point) => point.device === kind && point.network === network && point.adcBits === adcBits,
      );
      if (network !== 'dense') expect(same?.accuracy).toEqual(accuracy);
    }
    const rows = severityTable(result).rows as { top1: number }[];
    expect(rows.map(({ top1 }) => top1)).toEqual(result.severities.map(({ accuracy }) => accuracy.top1));
    const figures = crossbarFigures(result);
    for (const { name, levels } of errorKinds) {
      const { data } = figures.get(`04-crossbar-severity-${name}`)!;
      expect(data.map(({ x }) => x)).toEqual([levels, levels, levels]);
    }
  });

  it('has the pruned network lose nothing where its columns fit', () => {
    const own = result.points.filter(({ network, device }) => network === 'pruned' && device === 'ideal');
    expect(own[0].accuracy).toEqual(own[1].accuracy);
  });

  it('shows the lowest and the highest circuit beside their mean, and no interval beyond what there can be', () => {
    const rows = crossbarTable(result).rows as Record<'top1' | 'interval' | 'lowest' | 'highest', number>[];
    result.points.forEach(({ bySeed, accuracy }, i) => {
      const { top1, lowest, highest, interval } = rows[i];
      expect(top1).toBe(accuracy.top1);
      expect(interval).toBeLessThanOrEqual(50);
      const circuits = bySeed.map((one) => one.top1).sort((a, b) => a - b);
      const several = circuits.length > 1;
      expect([lowest, highest]).toEqual(several ? [circuits[0], circuits.at(-1)] : [undefined, undefined]);
    });
  });

  it('fills its tables and figures, and judges only real pictures', () => {
    expect(crossbarTable(result).rows.length).toBe(result.points.length);
    expect(observedTable(result).rows.map(({ layer }) => layer)).toEqual([...network.layers.keys()]);
    for (const { prunedOnes, prunedClipped } of observedTable(result).rows as {
      prunedOnes: number;
      prunedClipped: number;
    }[]) {
      expect(prunedOnes).toBeLessThanOrEqual(3);
      expect(prunedClipped).toBe(0);
    }
    expect(schemesTable().rows.length).toBe(4);
    const figures = crossbarFigures(result);
    expect([...figures.keys()].every((name) => name.startsWith('04-crossbar-'))).toBe(true);
    expect(figures.get('04-crossbar-accuracy')!.data.length).toBe(3);
    // More lines would repeat a colour and a symbol.
    expect(figures.get('04-crossbar-circuits')!.data.length).toBe(PALETTE.length);
    const { claims, obtained } = crossbarClaims(result);
    const verdict = expectedVersusObtained(claims, obtained);
    expect(verdict.results.find(({ id }) => id === 'low bits')?.verdict).toBe('SKIPPED');
    expect(verdict.results.find(({ id }) => id === 'pruned bits')?.verdict).toBe('PASS');
  });
});

describe('runCrossbar', () => {
  it('compares a network with one that was pruned from it only', async () => {
    const float = scratch('another.safetensors');
    const description = networkByName('tiny');
    saveParameters(float, description, initialParameters(description, 1));
    const folder = scratch('run');
    const options = { model: float, pruned: 'resnet20-cifar10-r128-adc2', folder, figures: folder };
    await expect(runCrossbar(options)).rejects.toThrow(/was pruned from another network \(resnet20-cifar10/);
  });
});
