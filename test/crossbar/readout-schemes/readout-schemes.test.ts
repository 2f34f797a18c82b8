import { describe, expect, it } from 'vitest';
import { layerJob } from '../../../src/crossbar/layer-job';
import { chargeDomainDefaults } from '../../../src/crossbar/readout-schemes/charge-domain';
import { exactProduct } from '../../../src/crossbar/readout-schemes/exact-product';
import { marginDefaults } from '../../../src/crossbar/readout-schemes/margin-settings';
import { rangeMappingDefaults } from '../../../src/crossbar/readout-schemes/range-mapping';
import {
  type ReadoutSchemeName,
  readoutSchemeNames,
  readoutSchemes,
  runReadoutScheme,
} from '../../../src/crossbar/readout-schemes/readout-schemes';
import { sparsityAwareDefaults } from '../../../src/crossbar/readout-schemes/sparsity-aware';
import { InputError } from '../../../src/errors';

const defaults: Record<ReadoutSchemeName, object> = {
  'range-mapping': { ...rangeMappingDefaults, dac: undefined, ...prefixed(rangeMappingDefaults.dac) },
  'margin-sensing': marginDefaults,
  'sparsity-aware': sparsityAwareDefaults,
  'charge-domain': chargeDomainDefaults,
};

function prefixed(dac: object) {
  return Object.fromEntries(Object.entries(dac).map(([name, value]) => [`dac.${name}`, value]));
}

const job = layerJob({
  codes: Int8Array.of(1, -2, 3, 0),
  rows: 2,
  columns: 2,
  inputs: Uint8Array.of(1, 2),
  vectors: 1,
  inputBits: 2,
});

describe('readoutSchemes', () => {
  it('lists every setting of every scheme with its default and where both come from', () => {
    for (const name of readoutSchemeNames) {
      const listed = readoutSchemes[name].parameters.filter((parameter) => parameter.default !== undefined);
      const fields = Object.entries(defaults[name]).filter(([, value]) => value !== undefined);
      expect(listed.map((parameter) => parameter.name).sort()).toEqual(fields.map(([field]) => field).sort());
      for (const [field, value] of fields) {
        const parameter = listed.find((own) => own.name === field)!;
        expect(['published', 'derived', 'assumed']).toContain(parameter.value);
        if (typeof value !== 'object') expect(parameter.default).toBe(String(value));
      }
    }
  });

  it('never calls a circuit value published: only ideas could be read', () => {
    for (const { parameters } of Object.values(readoutSchemes)) {
      for (const { value } of parameters) expect(value).not.toBe('published');
    }
  });

  it('keeps the published figures of the charge-domain macro', () => {
    const values = readoutSchemes['charge-domain'].figures.map(({ value, unit }) => `${value} ${unit}`);
    expect(values).toEqual(['646.6 TOPS/W', '1638.4 GOPS', '84.89 %', '32 Kb', '28 nm']);
  });
});

describe('runReadoutScheme', () => {
  it('runs each scheme with its defaults', () => {
    for (const name of readoutSchemeNames) {
      const { outputs, conversions } = runReadoutScheme(name, job);
      expect(outputs.length).toBe(2);
      expect(conversions).toBeGreaterThan(0);
    }
    expect([...runReadoutScheme('sparsity-aware', job).outputs]).toEqual([7, -2]);
  });

  it('refuses rows in another order than the inputs, and inputs of several groups', () => {
    for (const wired of [
      { ...job, wiring: [Int32Array.of(1, 0)] },
      { ...job, wiring: [Int32Array.of(0, 1), Int32Array.of(0, 1)] },
      { ...job, inputRows: 1, vectors: 2 },
    ]) {
      for (const name of readoutSchemeNames)
        expect(() => runReadoutScheme(name, wired), name).toThrow(
          /wiring: .* where row i is driven by input i alone/,
        );
      expect(() => exactProduct(wired)).toThrow(InputError);
    }
  });

  it('names the schemes that there are', () => {
    expect(() => runReadoutScheme('x' as 'charge-domain', job)).toThrow(
      'readout scheme: "x" is unknown; one of range-mapping, margin-sensing, sparsity-aware, charge-domain is needed',
    );
  });
});
