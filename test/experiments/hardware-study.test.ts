import { describe, expect, it } from 'vitest';
import { denseNetwork } from '../../src/experiments/dense-network';
import { hardwareClaims } from '../../src/experiments/hardware-claims';
import { hardwareFigures } from '../../src/experiments/hardware-figures';
import { designsTable } from '../../src/experiments/hardware-report';
import { hardwareStudy } from '../../src/experiments/hardware-study';
import { hardwareTables } from '../../src/experiments/hardware-tables';
import { networkActivity } from '../../src/experiments/network-activity';
import { networkDesigns, networkHardware } from '../../src/experiments/network-hardware';
import type { FloatModel, IntegerModel } from '../../src/experiments/open-model';
import { costModel, mapScopes } from '../../src/hardware/design-cost';
import { shareGains } from '../../src/hardware/efficiency-definitions';
import { constantsAt } from '../../src/hardware/hardware-preset';
import { costDesigns } from '../../src/hardware/hardware-report';
import { FAIR_BASELINE, ROW_LIMITED, WORST_CASE } from '../../src/hardware/map-designs';
import { hardwarePresetNames } from '../../src/hardware/named-presets';
import { expectedVersusObtained } from '../../src/reports/expected-versus-obtained';
import { requireTable } from '../../src/reports/table';
import { scratchFolder } from '../networks/scratch-folder';
import { dataset, pictures } from '../quantization/small-model';
import { description, model, network, pruned, tileRows } from './mixed-model';

const scratch = scratchFolder();

describe('denseNetwork', () => {
  it('has the codes of the network that was pruned, whatever its pictures', () => {
    const dense = denseNetwork(model, pruned.network);
    expect([...dense.layers.keys()]).toEqual([...network.layers.keys()]);
    for (const [name, layer] of dense.layers) expect(layer.codes).toEqual(network.layers.get(name)!.codes);
    expect(denseNetwork({ ...pruned, network }, pruned.network)).toBe(network);
  });
  it('refuses another network', () => {
    const other = { ...model, description: { ...description, name: 'other' } };
    expect(() => denseNetwork(other, pruned.network)).toThrow(
      /mixed\.safetensors: other; the pruned network/,
    );
  });
});

describe('networkHardware', () => {
  const options = { tileRows, dense: network, adcBits: () => 2 };
  it('is what its mapped designs cost', () => {
    expect(networkHardware(pruned.network, options)).toEqual(
      costDesigns(networkDesigns(pruned.network, options), costModel()),
    );
  });
  it('leaves out the baselines whose ADCs the model does not answer for, and says so', () => {
    const pruning = { ...pruned.network.pruning!, dacBits: 8 };
    const report = networkHardware(
      { ...pruned.network, pruning },
      { tileRows, adcBits: () => 8, adcModel: 'flash' },
    );
    expect(report.baselines.map(({ cost }) => cost.name)).toEqual([ROW_LIMITED]);
    const reason = 'ADC model flash: 13 bits is outside its validity (1 to 8 bits)';
    expect(report.leftOut).toEqual([{ name: WORST_CASE, reason }]);
    expect(report.notes.at(-1)).toBe(`${WORST_CASE}: left out; ${reason}`);
    expect(designsTable(report, 't').rows.at(-1)).toEqual({ design: WORST_CASE, leftOut: reason });
    expect(() => networkHardware(pruned.network, { tileRows, adcBits: () => 9, adcModel: 'flash' })).toThrow(
      /flash: 9 bits is outside/,
    );
  });
  it('refuses inputs of either sign with multi-bit DACs', () => {
    const pruning = { ...pruned.network.pruning!, dacBits: 2 };
    const layers = new Map(
      [...pruned.network.layers].map(([name, layer]) => [name, { ...layer, inputSigned: true }]),
    );
    expect(() => networkHardware({ ...pruned.network, layers, pruning }, options)).toThrow(
      /layer \S+: inputs of either sign need 1-bit DACs, not the 2-bit ones/,
    );
  });
  it('saves conversions by skipping zero inputs that pictures show, and none without', () => {
    const activity = networkActivity(pruned.network, pictures, tileRows);
    for (const [name, { driven }] of activity) {
      expect(driven.length).toBe(Math.ceil(pruned.network.layers.get(name)!.rows / tileRows));
      for (const own of driven) expect(own.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    }
    const conversions = (skip: { inputBits?: boolean; rows?: boolean }) =>
      networkHardware(pruned.network, { ...options, skip, activity }).baselines.map(
        ({ cost }) => cost.conversions,
      );
    const [whole, bits, rows] = [
      conversions({}),
      conversions({ inputBits: true }),
      conversions({ rows: true }),
    ];
    whole.forEach((count, i) => {
      expect(bits[i]).toBeLessThanOrEqual(count);
      expect(rows[i]).toBeLessThanOrEqual(bits[i] * (1 + 1e-9));
    });
    // Row-limited operation groups only the rows that are driven.
    expect(rows[2]).toBeLessThan(0.8 * bits[2]);
    expect(() => networkHardware(pruned.network, { ...options, skip: { rows: true } })).toThrow(
      /activity: missing/,
    );
  });
});

describe('hardwareStudy', () => {
  const real = { ...dataset, real: true, title: 'real pictures' };
  const result = hardwareStudy({
    dense: [model],
    pruned: [pruned],
    dataset: real,
    folder: scratch('hardware'),
    testPictures: 16,
  });
  const [own] = result.networks;

  it('tells gains under every definition over every baseline, within their spread over the laws', () => {
    expect(own.definitions.length).toBe(3 * 13);
    for (const { gain, lowest, highest } of own.definitions) {
      expect(gain).toBeGreaterThanOrEqual(lowest);
      expect(gain).toBeLessThanOrEqual(highest);
    }
    const energy = own.definitions.find(
      (gain) => gain.definition === 'tile-energy' && gain.baseline === 'dense, measured',
    )!;
    expect(energy.gain).toBe(own.report.baselines[1].gains.tile.energy);
    expect(own.laws.filter(({ gains }) => gains).length).toBe(6);
    expect(own.laws.find(({ adcModel }) => adcModel === 'survey')!.refusal).toMatch(/2 bits is outside/);
  });
  it('tells efficiency and gains on every published design, or why it has none', () => {
    expect(own.presets.map(({ preset }) => preset)).toEqual(hardwarePresetNames);
    const [isaac, tinyadc, , forms] = own.presets;
    expect(isaac.topsPerW).toEqual(mapScopes((scope) => own.report.pruned.scopes[scope].topsPerW));
    expect(tinyadc.gains).toEqual(mapScopes((scope) => own.report.baselines[1].gains[scope].energy));
    expect(forms).toEqual({
      preset: 'forms',
      adcModel: 'forms',
      refusal: 'ADC model forms: 2 bits is outside its validity (4 bits only)',
    });
  });
  it('finds the gain move with the constants that make it, and not with others', () => {
    const { sensitivity } = own;
    const names = sensitivity.map(({ constant }) => constant);
    expect(names).toContain('sar.energy.linear');
    expect(names).toContain('macro.dac.power');
    expect(names.filter((name) => /area|flash|puma/.test(name))).toEqual([]);
    expect(sensitivity.map(({ swing }) => swing)).toEqual(
      sensitivity.map(({ swing }) => swing).sort((a, b) => b - a),
    );
    const dac = sensitivity.find(({ constant }) => constant === 'macro.dac.power')!;
    const { gains } = own.report.baselines[1];
    // A cheaper DAC leaves more of the bill to the ADC.
    expect(dac.lower.macro).toBeGreaterThan(gains.macro.energy);
    expect(dac.higher.macro).toBeLessThan(gains.macro.energy);
    expect(dac.lower.adc).toBe(gains.adc.energy);
  });
  it('drives fewer rows for fewer bits, until all rows fit', () => {
    const { rowLimited, report } = own;
    expect(rowLimited.map(({ adcBits }) => adcBits)).toEqual([1, 2, 3, 4, 5, 6]);
    const conversions = rowLimited.map((design) => design.conversions);
    expect(conversions).toEqual([...conversions].sort((a, b) => b - a));
    const [, measured, limited] = report.baselines.map(({ cost }) => cost);
    expect(conversions[1]).toBe(limited.conversions);
    expect(conversions[5]).toBe(measured.conversions);
  });
  it('balances pipelines within the same arrays', () => {
    const { balanced, report } = own;
    for (const design of [balanced, ...balanced.baselines]) {
      expect(design.arrays).toBeLessThanOrEqual(balanced.arrayBudget);
    }
    expect(balanced.intervalNs).toBeLessThan(report.pruned.intervalNs);
  });
  it('makes tables and figures of it all, and meets what was expected', () => {
    const tables = hardwareTables(result);
    expect([...tables.keys()]).toContain('05-hardware-definitions');
    for (const table of tables.values()) {
      requireTable(table);
      expect(table.rows.length).toBeGreaterThan(0);
    }
    expect([...hardwareFigures(result).keys()]).toEqual([
      '05-hardware-mixed-pruned-energy',
      '05-hardware-mixed-pruned-definitions',
      '05-hardware-mixed-pruned-sensitivity',
      '05-hardware-pareto',
    ]);
    const { claims, obtained } = hardwareClaims(result);
    expect(expectedVersusObtained(claims, obtained).summary).toBe('4 PASS, 0 FAIL, 0 SKIPPED');
  });
  it('comes back from JSON as it was, for the notebook', () => {
    const stored = JSON.parse(JSON.stringify(result));
    expect(hardwareTables(stored)).toEqual(hardwareTables(result));
    expect(hardwareFigures(stored)).toEqual(hardwareFigures(result));
  });
  it('leaves accuracy and skipping out where there are no real pictures', () => {
    const [without] = hardwareStudy({
      dense: [model],
      pruned: [pruned],
      dataset,
      folder: scratch('none'),
    }).networks;
    expect([without.accuracy, without.skipping]).toEqual([undefined, undefined]);
    expect(without.report).toEqual(own.report);
    expect(designsTable(without.report, 't').rows.length).toBe(4);
  });
  it.each([
    ['sar-saberi', 12, [WORST_CASE]],
    ['flash', 8, [WORST_CASE, FAIR_BASELINE]],
  ] as const)(
    'goes on with 8-bit DACs, without the baselines that %s ends below',
    (adcModel, most, leftOut) => {
      const pruning = { ...pruned.network.pruning!, dacBits: 8, adcBits: 8 };
      const wide = { ...pruned, network: { ...pruned.network, pruning } };
      const study = hardwareStudy({
        dense: [model],
        pruned: [wide],
        dataset,
        folder: scratch(adcModel),
        adcModel,
      });
      expect(study.networks[0].report.leftOut.map(({ name }) => name)).toEqual(leftOut);
      expect(study.networks[0].rowLimited.map(({ adcBits }) => adcBits)).toEqual(
        [8, 9, 10, 11, 12].filter((bits) => bits <= most),
      );
      for (const table of hardwareTables(study).values()) requireTable(table);
      expect(hardwareFigures(study).size).toBeGreaterThan(0);
      const { claims, obtained } = hardwareClaims(study);
      expect(expectedVersusObtained(claims, obtained).summary).toMatch(/0 FAIL/);
    },
  );
  it('takes several pruned networks, each with tables and figures of its own', () => {
    const other = { ...pruned, name: 'other-pruned' };
    const both = hardwareStudy({
      dense: [model],
      pruned: [pruned, other],
      dataset,
      folder: scratch('both'),
    });
    const [first, second] = both.networks;
    expect(second).toEqual({ ...first, name: 'other-pruned' });
    for (const name of ['mixed-pruned', 'other-pruned']) {
      expect([...hardwareTables(both).keys()]).toContain(`05-hardware-${name}-layers`);
      expect([...hardwareFigures(both).keys()]).toContain(`05-hardware-${name}-energy`);
      const { rows } = hardwareTables(both).get('05-hardware-presets')!;
      expect(rows.filter(({ network }) => network === name).length).toBe(hardwarePresetNames.length);
    }
    expect(hardwareClaims(both).claims.length).toBe(2 + 2 * 2);
  });
  it('refuses networks that do not belong together or were not pruned', () => {
    const study = (dense: FloatModel[], model: IntegerModel) =>
      hardwareStudy({ dense, pruned: [model], dataset, folder: scratch('bad') });
    expect(() => study([], pruned)).toThrow(/mixed-pruned\.safetensors: no unpruned/);
    expect(() => study([model], { ...pruned, network })).toThrow(/mixed-pruned: not a pruned network/);
  });
});

describe('shareGains', () => {
  it('gives the sums on paper', () => {
    const gain = (bits: number, title: string) =>
      shareGains(bits, constantsAt()).find((own) => own.title === title)?.gain;
    expect(gain(3, 'ADC alone: energy')).toBeCloseTo(2.83, 2);
    expect(gain(3, 'ISAAC tile: energy')).toBeCloseTo(1.6, 2);
    expect(gain(2, 'ISAAC tile: energy')).toBeCloseTo(1.8, 2);
    expect(gain(2, 'flash macro (Kim): energy')).toBeCloseTo(3.2, 1);
    expect(gain(4, 'flash macro (Kim): energy')).toBeUndefined();
  });
});
