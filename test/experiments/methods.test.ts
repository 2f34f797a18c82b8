import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { candidateStore } from '../../src/admm/candidate-store';
import { layerCandidates, planeProfiles, uniformCandidates } from '../../src/admm/layer-candidates';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { largestOf } from '../../src/bitplanes/per-plane';
import { InputError } from '../../src/errors';
import { allocateAdcBits } from '../../src/experiments/allocate-adc-bits';
import { budgetClaims, budgetFigures, budgetTable } from '../../src/experiments/budget-report';
import { budgetStudy } from '../../src/experiments/budget-study';
import { certifyNetwork } from '../../src/experiments/certify-network';
import { calibrateClippedDense, clippedInference } from '../../src/experiments/clipped-dense';
import {
  encodingClaims,
  encodingFigures,
  encodingGainTable,
  encodingTable,
} from '../../src/experiments/encoding-report';
import { encodingStudy } from '../../src/experiments/encoding-study';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { gapHistogram } from '../../src/experiments/gap-histogram';
import { methodsClaims, methodsFigures, methodsTable } from '../../src/experiments/methods-report';
import {
  compareMethods,
  lineId,
  lineOf,
  type MethodsResult,
  methodEntries,
} from '../../src/experiments/methods-table';
import { baselineSummary, networkHardware, summarizeHardware } from '../../src/experiments/network-hardware';
import type { FloatModel } from '../../src/experiments/open-model';
import { openIntegerModel } from '../../src/experiments/open-model';
import { overSeeds } from '../../src/experiments/over-seeds';
import { FAIR_BASELINE, WORST_CASE } from '../../src/hardware/map-designs';
import { meanDivergence } from '../../src/networks/divergence';
import { adcBitsOf } from '../../src/quantization/adc-bits';
import { createIntegerInference } from '../../src/quantization/integer-inference';
import { loadIntegerNetwork } from '../../src/quantization/model-file';
import { liveTensors } from '../../src/tensor/engine';
import { scratchFolder } from '../networks/scratch-folder';
import { dataset, livelyParameters, pictures, smallModel } from '../quantization/small-model';
import { mixedNetwork } from '../training/small-networks';

useFastEngines({ threads: 1 });

const scratch = scratchFolder();
const description = mixedNetwork();
const { network, folded } = smallModel(description);
const few = (count: number) => ({ ...pictures, count, pixels: pictures.pixels.subarray(0, count * 768) });

function logitsOf(inference: ReturnType<typeof createIntegerInference>, count: number): Float32Array {
  try {
    return inference.logits(few(count));
  } finally {
    inference.dispose();
  }
}

describe('clipped dense', () => {
  const tileRows = 32;
  const exact = logitsOf(createIntegerInference(network), 2);
  const needed = certifyNetwork(network, tileRows).requiredAdcBits;
  const clipped = (adcBits: number) => {
    const adcs = calibrateClippedDense(network, few(2), { adcBits, tileRows, vectors: 32 });
    return { adcs, logits: logitsOf(clippedInference(network, adcs, tileRows), 2) };
  };

  it('is the integer network itself where the ADC has enough bits', () => {
    const { adcs, logits } = clipped(needed);
    expect(logits).toEqual(exact);
    for (const { step, relativeError } of adcs.values()) expect([step, relativeError]).toEqual([1, 0]);
  });

  it('errs more the fewer bits there are, widens the step where that helps, and keeps the channels’ means', () => {
    const distance = (bits: number) => {
      const { logits } = clipped(bits);
      return logits.reduce((sum, value, i) => sum + (value - exact[i]) ** 2, 0);
    };
    expect(distance(1)).toBeGreaterThan(distance(3));
    const { adcs } = clipped(1);
    expect([...adcs.keys()]).toEqual([...network.layers.keys()]);
    expect(Math.max(...[...adcs.values()].map(({ step }) => step))).toBeGreaterThan(1);
    expect([...adcs.values()].some(({ correction }) => correction.some((shift) => shift !== 0))).toBe(true);
  });

  it('frees every tensor', () => {
    clipped(2);
    const before = liveTensors();
    clipped(2);
    expect(liveTensors()).toBe(before);
  });
});

describe('budgets by measured sensitivity', () => {
  const settings = { tileRows: 16, compensation: 'none' as const, patches: 200, compared: 32 };
  const candidates = layerCandidates(network, folded, pictures, { ...settings, adcBits: [1, 2, 3, 4] });
  const allocate = (uniformBits: number, kind?: 'adc-energy' | 'conversion-bits') =>
    allocateAdcBits(network, candidates, { tileRows: 16, kind, budget: { uniformBits } });

  it('go on where they were interrupted, layer by layer, and measure anew under other settings', () => {
    const path = scratch('candidates');
    const wanted = { ...settings, adcBits: [1, 2, 3, 4] };
    const notes: string[] = [];
    const measure = (key: number, stopBefore?: string) =>
      layerCandidates(
        network,
        folded,
        pictures,
        wanted,
        ({ note = '' }) => {
          if (stopBefore !== undefined && note.startsWith(stopBefore)) throw new Error('interrupted');
          notes.push(note);
        },
        candidateStore(path, key),
      );
    const [first, second] = network.layers.keys();
    expect(() => measure(1, second)).toThrow('interrupted');
    notes.length = 0;
    expect(measure(1)).toEqual(candidates);
    expect(notes.some((note) => note.startsWith(first))).toBe(false);
    writeFileSync(join(path, `${second}.safetensors`), 'damaged');
    notes.length = 0;
    expect(measure(1)).toEqual(candidates);
    expect(new Set(notes.map((note) => note.split(':')[0]))).toEqual(
      new Set([second, 'sensitivities measured']),
    );
    notes.length = 0;
    measure(2);
    expect(notes.some((note) => note.startsWith(first))).toBe(true);
    candidateStore(path, 2).clear();
    expect(existsSync(path)).toBe(false);
  });

  it('each candidate keeps its bits, alone among unpruned layers', () => {
    expect([...candidates.keys()]).toEqual([...network.layers.keys()]);
    for (const [name, own] of candidates)
      for (const { adcBits, layer, divergence } of own) {
        const alone = { ...network, layers: new Map([[name, layer]]) };
        expect(certifyNetwork(alone, 16).requiredAdcBits).toBeLessThanOrEqual(largestOf(adcBits));
        expect(divergence).toBeGreaterThanOrEqual(0);
      }
  });

  it.each(['adc-energy', 'conversion-bits'] as const)(
    'never exceeds the budget in %s, is no worse than uniform bits, and no worse with more',
    (kind) => {
      const totals = [1, 1.5, 2, 2.5, 3, 4].map((bits) => ({ bits, ...allocate(bits, kind) }));
      totals.forEach(({ bits, cost, budget, error, adcBits }, i) => {
        expect(cost).toBeLessThanOrEqual(budget * (1 + 1e-9));
        expect(Object.keys(adcBits)).toEqual([...network.layers.keys()]);
        if (i > 0) expect(error).toBeLessThanOrEqual(totals[i - 1].error);
        if (!Number.isInteger(bits)) return;
        const uniform = [...candidates.values()].reduce((sum, own) => sum + own[bits - 1].divergence, 0);
        expect(error).toBeLessThanOrEqual(uniform + 1e-12);
      });
    },
  );

  it('refuses budgets outside what was tried', () => {
    expect(() => allocate(0.5)).toThrow(InputError);
    expect(() => allocate(5)).toThrow(/5 bits everywhere; from 1 to 4 are tried/);
    expect(() => allocateAdcBits(network, candidates, { tileRows: 16, budget: { amount: 1 } })).toThrow(
      /budget 1 is below/,
    );
  });

  it('profiles save in the lowest planes, by dropping them or by one bit', () => {
    expect(planeProfiles([1, 3], 4)).toEqual([
      1,
      [0, 1, 1, 1],
      [0, 0, 1, 1],
      [0, 0, 0, 1],
      3,
      [0, 3, 3, 3],
      [0, 0, 3, 3],
      [0, 0, 0, 3],
    ]);
    expect(planeProfiles([2], 1)).toEqual([2]);
    expect(planeProfiles([1, 2], 7)).toHaveLength(5 + 5);
    expect(planeProfiles([2], 7)[4]).toEqual([0, 0, 0, 0, 2, 2, 2]);
  });

  it('allocates to planes within the same budget, no worse than to layers alone, and prunes to what it allocated', {
    timeout: 120_000,
  }, () => {
    const tried = planeProfiles([1, 2, 3], 7).filter((_, i) => i % 5 < 3);
    const profiled = layerCandidates(network, folded, pictures, { ...settings, adcBits: tried });
    const options = { tileRows: 16, budget: { uniformBits: 2 } };
    const planes = allocateAdcBits(network, profiled, options);
    const layers = allocateAdcBits(network, uniformCandidates(profiled), options);
    expect(planes.budget).toBe(layers.budget);
    expect(planes.budget).toBe(allocate(2).budget);
    expect(planes.cost).toBeLessThanOrEqual(planes.budget * (1 + 1e-9));
    expect(planes.error).toBeLessThan(layers.error);
    const { adcBits } = planes;
    expect(Object.values(adcBits).some((bits) => typeof bits !== 'number')).toBe(true);
    const { network: pruned } = prunePostTraining(network, folded, pictures, { ...settings, adcBits });
    expect(certifyNetwork(pruned)).toMatchObject({ lossless: true, adcBits });
    const { conversions, scopes } = networkHardware(pruned, {
      tileRows: 16,
      adcBits: (name) => adcBitsOf(adcBits, name),
    }).pruned;
    expect(conversions).toBeGreaterThan(0);
    // Layers below are pruned too, which the candidates' costs do not know.
    expect(scopes.adc.energyPj).toBeLessThan(1.1 * planes.budget);
  });

  it('meanDivergence is 0 for logits that differ by a constant, and that of two known distributions', () => {
    const logits = Float32Array.of(1, 2, 3, 0, 0, 5);
    expect(
      meanDivergence(
        logits,
        logits.map((value) => value + 3),
        3,
      ),
    ).toBeCloseTo(0, 6);
    const wanted = Float32Array.of(Math.log(0.75), Math.log(0.25));
    const expected = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5);
    expect(meanDivergence(wanted, Float32Array.of(0, 0), 2)).toBeCloseTo(expected, 6);
  });
});

describe('gapHistogram', () => {
  it('counts by half decades, what is closed in the first bin', () => {
    const counts = gapHistogram([0, 1e-12, 1e-8, 1e-3, 1.1e-3, 1]);
    expect([counts.length, counts[0], counts[10], counts[16]]).toEqual([17, 3, 2, 1]);
  });
});

describe('with a float network', () => {
  const model: FloatModel = {
    kind: 'float',
    name: 'mixed',
    path: 'mixed.safetensors',
    sha256: '00',
    identity: '00',
    description,
    parameters: livelyParameters(description),
    folded,
    account: { matches: [], missing: [], unused: [] } as never,
  };
  const common = { model, dataset, calibration: 32, iterations: 2, patches: 128, testPictures: 20 };

  describe('compareMethods', () => {
    const notes: string[] = [];
    const compare = (change = {}) =>
      compareMethods({
        ...common,
        folder: scratch('methods'),
        configurations: [{ tileRows: 32, adcBits: 2 }],
        clippedPictures: 4,
        onProgress: ({ note }) => notes.push(note ?? ''),
        ...change,
      });
    let result: MethodsResult;
    beforeAll(() => {
      result = compare();
    });

    it('measures every line; all that is pruned is lossless, and only clipped dense is not', () => {
      expect(result.rows.map(({ method, compensation }) => [method, compensation])).toEqual(
        methodEntries.map(({ method, compensation }) => [method, compensation]),
      );
      const written = loadIntegerNetwork(
        join(scratch('methods'), 'lagrangian-layer-admm-balanced-r32-adc2.safetensors'),
      );
      expect([...written.layers.values()].some(({ rowOrder }) => rowOrder !== undefined)).toBe(true);
      for (const row of result.rows) {
        expect(row.lossless).toBe(row.method !== 'clipped');
        expect(row.accuracy.pictures).toBe(row.method === 'clipped' ? 4 : 20);
        expect(row.adcEnergyPj).toBeGreaterThan(0);
        if (row.compensation) expect(row.requiredAdcBits).toBeLessThanOrEqual(2);
      }
      const find = (method: string) => result.rows.find((row) => row.method === method)!;
      expect(find('row-limited').accuracy).toEqual(result.integer);
      expect(find('row-limited').conversions).toBeGreaterThan(5 * find('unpruned').conversions);
      expect(find('unpruned').adcEnergyGain).toBeGreaterThan(0);
      expect(find('lagrangian').gaps?.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
      expect(find('lagrangian').meanGap).toBeLessThan(0.05);
    });

    it('goes on from what is stored, and computes again what other settings ask for', () => {
      notes.length = 0;
      expect(JSON.stringify(compare().rows)).toBe(JSON.stringify(result.rows));
      expect(notes).toEqual([]);
      const stored = readFileSync(join(scratch('methods'), 'results.json'), 'utf8');
      expect(JSON.parse(stored)).toEqual(JSON.parse(JSON.stringify(result)));
      compare({ entries: methodEntries.slice(3, 4), iterations: 1 });
      expect(notes.length).toBeGreaterThan(0);
    });

    it('takes networks that training pruned, as files', () => {
      const path = join(scratch('methods'), 'greedy-none-r32-adc2.safetensors');
      const { rows, checksums } = compare({ entries: [], trained: [{ title: 'trained', path }] });
      expect(checksums['greedy-none-r32-adc2 (model)']).toBe(openIntegerModel(path).sha256);
      const greedy = result.rows.find(
        ({ method, compensation }) => method === 'greedy' && compensation === 'none',
      )!;
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        method: 'trained',
        tileRows: 32,
        adcBits: 2,
        accuracy: greedy.accuracy,
      });
    });

    it('takes lines by their ids, which differ, and refuses others', () => {
      expect(new Set(methodEntries.map(lineId)).size).toBe(methodEntries.length);
      for (const entry of methodEntries) expect(lineOf(lineId(entry))).toBe(entry);
      expect(() => lineOf('lagrangian')).toThrow(/--lines lagrangian: allowed are unpruned, row-limited/);
    });

    it('claims that 4 bits at R = 128 and 3 at R = 64 lose at most half a point without training', () => {
      const at = (tileRows: number, adcBits: number) =>
        methodsClaims({
          ...result,
          realData: true,
          rows: result.rows.map((row) => ({ ...row, tileRows, adcBits })),
        });
      const { claims, obtained } = at(64, 3);
      expect(claims.map(({ id }) => id)).toContain('R = 64, 3 bits, drop');
      const ours = result.rows.filter(
        ({ title, compensation }) => title.startsWith('hierarchical') && compensation === 'layer-admm',
      );
      expect(ours).toHaveLength(3);
      expect(obtained['R = 64, 3 bits, drop']).toBeCloseTo(
        Math.min(...ours.map(({ dropFromFloat }) => dropFromFloat)),
        9,
      );
      expect(at(64, 2).claims.map(({ id }) => id)).not.toContain('R = 64, 2 bits, drop');
    });

    it('is reported in a table, figures and claims', () => {
      expect(methodsTable(result).rows).toHaveLength(result.rows.length);
      expect([...methodsFigures(result).keys()]).toEqual([
        '02-methods-accuracy-r32',
        '02-methods-pareto',
        '02-methods-gaps',
      ]);
      const { claims, obtained } = methodsClaims(result);
      expect(claims.map(({ id }) => id)).toEqual(['lossless', 'R = 32, 2 bits']);
      expect(obtained).toEqual({ lossless: true });
      expect(methodsClaims({ ...result, realData: true }).obtained['R = 32, 2 bits']).toEqual(
        expect.any(Number),
      );
    });
  });

  it('budgetStudy measures budgets spread evenly, over layers, and over planes, and reports them', {
    timeout: 120_000,
  }, () => {
    const options = {
      ...common,
      folder: scratch('budgets'),
      tileRows: 32,
      budgets: [2],
      tried: [1, 2],
    };
    const result = budgetStudy(options);
    expect(result.points.map(({ spread, budgetBits }) => [spread, budgetBits])).toEqual([
      ['uniform', 2],
      ['profile', 2],
      ['layers', 2],
      ['planes', 2],
    ]);
    const [uniform, profile, layers, planes] = result.points;
    expect(result.points.every(({ lossless }) => lossless)).toBe(true);
    expect(layers.predicted).toBeLessThanOrEqual(uniform.predicted);
    expect(profile.predicted).toBeLessThanOrEqual(uniform.predicted);
    expect(new Set(Object.values(profile.adcBits).map((bits) => JSON.stringify(bits))).size).toBe(1);
    expect(planes.predicted).toBeLessThanOrEqual(Math.min(layers.predicted, profile.predicted));
    for (const { predicted, lowerBound } of [layers, planes])
      expect(lowerBound).toBeLessThanOrEqual(predicted);
    expect(JSON.stringify(budgetStudy(options))).toBe(JSON.stringify(result));
    expect(budgetTable(result).rows.map(({ budget }) => budget)).toEqual([2, 2, 2, 2]);
    expect([...budgetFigures(result).keys()]).toEqual(['02-budgets-pareto', '02-budgets-sensitivity']);
    expect(budgetClaims(result).obtained).toEqual({ lossless: true });
    const real = budgetClaims({ ...result, realData: true }).obtained;
    expect(real['mean gain of planes']).toBeCloseTo(planes.accuracy.top1 - layers.accuracy.top1, 9);
    expect(real['mean gain']).toBeCloseTo(layers.accuracy.top1 - uniform.accuracy.top1, 9);
  });

  it('encodingStudy measures magnitudes and signed digits in as many planes, and reports them', {
    timeout: 120_000,
  }, () => {
    const options = {
      ...common,
      folder: scratch('encodings'),
      configurations: [{ tileRows: 32, adcBits: 2 }],
      planes: [4, 7],
      seeds: 2,
    };
    const result = encodingStudy(options);
    // What the second seed gives is what a study that begins with it gives.
    const other = encodingStudy({ ...options, folder: scratch('encodings-seed2'), seed: 2, seeds: 1 });
    expect(result.points.map(({ bySeed }) => bySeed)).toEqual(
      result.points.map(({ accuracy }, i) => [accuracy.top1, other.points[i].accuracy.top1]),
    );
    expect(result.points.map(({ encoding, weightBits, planes }) => [encoding, weightBits, planes])).toEqual([
      ['sign-split', 5, 4],
      ['csd', 4, 4],
      ['sign-split', 8, 7],
      ['csd', 7, 7],
    ]);
    for (const { encoding, weightBits, lossless, conversions } of result.points) {
      expect(lossless).toBe(true);
      const kept = loadIntegerNetwork(
        join(options.folder, `${encoding}-w${weightBits}-r32-adc2.safetensors`),
      );
      expect(kept).toMatchObject({ weightBits, pruning: { encoding } });
      expect(conversions).toBe(networkHardware(kept, { tileRows: 32, adcBits: () => 2 }).pruned.conversions);
    }
    expect(JSON.stringify(encodingStudy(options))).toBe(JSON.stringify(result));
    // All are compared with the same unpruned network, in magnitudes.
    const baselines = result.points.map(({ encoding, weightBits }) => {
      const kept = loadIntegerNetwork(
        join(options.folder, `${encoding}-w${weightBits}-r32-adc2.safetensors`),
      );
      const hardware = networkHardware(kept, { tileRows: 32, adcBits: () => 2, dense: network });
      const summary = summarizeHardware(hardware);
      return [FAIR_BASELINE, WORST_CASE].map((name) => baselineSummary(summary, name).energyPj);
    });
    for (const baseline of baselines) expect(baseline).toEqual(baselines[0]);
    expect(encodingTable(result).rows.map(({ planes, encoding }) => [planes, encoding])).toEqual([
      [4, 'sign-split'],
      [4, 'csd'],
      [7, 'sign-split'],
      [7, 'csd'],
    ]);
    const figures = encodingFigures(result);
    expect([...figures.keys()]).toEqual(['02-encodings-adc', '02-encodings-macro']);
    const [split, csd] = figures.get('02-encodings-adc')!.data as unknown as { x: number[]; y: number[] }[];
    expect(split.y).toEqual([0, 2].map((i) => overSeeds(result.points[i].bySeed).mean));
    expect(csd.x).toEqual([result.points[1].adcEnergyPj / 1e6, result.points[3].adcEnergyPj / 1e6]);
    expect(encodingClaims(result).obtained).toEqual({ lossless: true });
    const { obtained } = encodingClaims({ ...result, realData: true });
    const [first, second, third, fourth] = result.points;
    const gains = [0, 1].map(
      (seed) => (second.bySeed[seed] - first.bySeed[seed] + fourth.bySeed[seed] - third.bySeed[seed]) / 2,
    );
    const { mean, interval } = overSeeds(gains);
    expect(obtained.gain).toBeCloseTo(mean, 9);
    expect(obtained.sure).toBeCloseTo(mean - interval, 9);
    expect(encodingGainTable(result).rows.map(({ planes, gain }) => [planes, gain])).toEqual([
      [4, overSeeds([0, 1].map((seed) => second.bySeed[seed] - first.bySeed[seed])).mean],
      [7, overSeeds([0, 1].map((seed) => fourth.bySeed[seed] - third.bySeed[seed])).mean],
    ]);
    expect(obtained.error).toBeCloseTo(
      (second.relativeError / first.relativeError + fourth.relativeError / third.relativeError) / 2,
      9,
    );
    // Seven planes leave digits to choose; what that is worth shows in the error.
    expect(fourth.relativeError).toBeLessThan(third.relativeError);
  });
});
