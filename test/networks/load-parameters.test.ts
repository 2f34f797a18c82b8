import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import { describeAccount } from '../../src/networks/describe-account';
import type { NetworkDescription, Parameters } from '../../src/networks/description';
import { foldBatchNorm } from '../../src/networks/fold-batch-norm';
import { initialParameters } from '../../src/networks/initial-parameters';
import { loadParameters } from '../../src/networks/load-parameters';
import { networkByName } from '../../src/networks/network-by-name';
import { saveParameters } from '../../src/networks/save-parameters';
import { writeSafetensors } from '../../src/networks/write-safetensors';
import { fixture, MICRO, microParameters } from './micro-network';
import { numberedParameters, parameterDigests } from './parameter-digests';
import { scratchFolder } from './scratch-folder';

const scratch = scratchFolder();

/** Saves under other names, and in the order of the names as Python's safetensors does where `sorted`. */
function saveRenamed(
  path: string,
  parameters: Parameters,
  rename: (name: string) => string,
  sorted = false,
): void {
  const entries = [...parameters].map(([name, tensor]) => [rename(name), tensor] as const);
  if (sorted) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  writeSafetensors(path, new Map(entries));
}

function loadMessage(path: string, description?: NetworkDescription): string {
  try {
    loadParameters(path, description);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('loadParameters from a PyTorch file', () => {
  it('reads a nested state dict of DataParallel without its prefix and counters', () => {
    const { parameters, account } = loadParameters(fixture('nested.pth'), MICRO);
    expect(parameters).toEqual(microParameters());
    expect(describeAccount(account)).toEqual(['7 of 7 parameters matched, 7 by name']);
  });

  it('reads half and double precision, strides, shared storages and Parameters, matched by order', () => {
    const { parameters, account } = loadParameters(fixture('strange.pth'), MICRO);
    expect(parameters).toEqual(microParameters());
    expect(account.byOrder).toContainEqual({ parameter: 'bn.running_var', from: 'norm.running_var' });
    expect(describeAccount(account)[1]).toMatch(/^7 by order and shape .*stem.weight -> conv.weight/);
  });

  it('names a foreign object instead of running it', () => {
    expect(loadMessage(fixture('foreign.pth'), MICRO)).toMatch(/holds a foreign object argparse\.Namespace/);
  });

  it('says how to convert a file that is no ZIP', () => {
    expect(loadMessage(fixture('legacy.pth'), MICRO)).toMatch(/no ZIP file but .* before 1\.6 .*torch\.save/);
    writeFileSync(scratch('page.pth'), '<!DOCTYPE html>');
    expect(loadMessage(scratch('page.pth'), MICRO)).toMatch(/no ZIP file/);
    writeFileSync(scratch('notes.txt'), 'some text');
    expect(loadMessage(scratch('notes.txt'), MICRO)).toMatch(/no weight file/);
  });

  it('says that a file cut short is truncated', () => {
    writeFileSync(scratch('short.pth'), readFileSync(fixture('nested.pth')).subarray(0, 2000));
    expect(loadMessage(scratch('short.pth'), MICRO)).toMatch(/truncated/);
  });

  it('gives either parameters or an InputError for a file with any bytes changed', () => {
    const whole = readFileSync(fixture('nested.pth'));
    const damaged = scratch('damaged.pth');
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        writeFileSync(damaged, bytes);
        try {
          expect(loadParameters(damaged, MICRO).account.matched).toBe(7);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('loadParameters and saveParameters', () => {
  const resnet20 = networkByName('resnet20');
  const parameters = initialParameters(resnet20, 1);

  it('keep every number, and the network is recognised', () => {
    saveParameters(scratch('a.safetensors'), resnet20, parameters, { seed: '1' });
    const loaded = loadParameters(scratch('a.safetensors'));
    expect(loaded.description).toEqual(resnet20);
    expect(parameterDigests(loaded.parameters)).toEqual(parameterDigests(parameters));
    expect(loaded.metadata).toEqual({ format: 'pt', network: 'resnet20', classes: '10', seed: '1' });
  });

  it('keep three digits in float16, and refuse what it has no room for', () => {
    saveParameters(scratch('half.safetensors'), resnet20, parameters, {}, true);
    const { parameters: loaded } = loadParameters(scratch('half.safetensors'));
    for (const [name, { data }] of parameters)
      data.forEach((value, i) => {
        expect(Math.abs(loaded.get(name)!.data[i] - value)).toBeLessThanOrEqual(
          2 ** -11 * Math.abs(value) + 2 ** -25,
        );
      });
    const { shape, data } = parameters.get('linear.bias')!;
    const large = new Map([...parameters, ['linear.bias', { shape, data: data.map(() => 7e4) }]]);
    expect(() => saveParameters(scratch('large'), resnet20, large, {}, true)).toThrow(
      /tensor 'linear\.bias' holds numbers that float16 has no room for/,
    );
  });

  it.each([
    ['resnet20', 100],
    ['resnet44-projection', 7],
    ['tiny', 4],
  ])('recognise %s by its tensors alone, with %i classes, folded or not', (name, classes) => {
    const description = networkByName(name, { classes });
    const start = numberedParameters(description);
    saveRenamed(scratch('b.safetensors'), start, (tensor) => tensor);
    expect(loadParameters(scratch('b.safetensors')).description).toEqual(description);
    const folded = foldBatchNorm(description, start);
    saveParameters(scratch('c.safetensors'), folded.description, folded.parameters);
    const loaded = loadParameters(scratch('c.safetensors'));
    expect(loaded.description).toEqual(folded.description);
    expect(parameterDigests(loaded.parameters)).toEqual(parameterDigests(folded.parameters));
  });

  it('match by order and shape where the names differ, also in a file sorted by name', () => {
    const resnet56 = networkByName('resnet56-projection');
    const start = numberedParameters(resnet56);
    const rename = (name: string) =>
      name.replace('downsample', 'shortcut').replace('layer', 'stage').replace('fc.', 'linear.');
    for (const sorted of [false, true]) {
      saveRenamed(scratch('d.safetensors'), start, rename, sorted);
      const loaded = loadParameters(scratch('d.safetensors'), resnet56);
      expect(parameterDigests(loaded.parameters)).toEqual(parameterDigests(start));
      expect(loaded.account.byOrder.every(({ parameter, from }) => rename(parameter) === from)).toBe(true);
      expect(describeAccount(loaded.account)[1]).toMatch(/by order and shape \(check the accuracy\)/);
    }
  });

  it('refuse the checkpoint of another network and name tensors that differ', () => {
    saveParameters(scratch('e.safetensors'), resnet20, parameters);
    const path = scratch('e.safetensors');
    expect(loadMessage(path, networkByName('resnet56'))).toMatch(
      /holds resnet20, not resnet56: 97 of 277 .*180 missing: layer1\.3\.conv1\.weight, .* and 177 more/,
    );
    expect(loadMessage(path, networkByName('resnet20', { classes: 100 }))).toMatch(
      /2 of another shape: linear\.weight is \[10,64\], needed \[100,64\]/,
    );
    expect(loadMessage(path, networkByName('vgg16'))).toMatch(/0 of 80 parameters matched/);
    saveParameters(
      scratch('f.safetensors'),
      networkByName('resnet32'),
      initialParameters(networkByName('resnet32'), 1),
    );
    expect(loadMessage(scratch('f.safetensors'), resnet20)).toMatch(
      /holds resnet32, not resnet20: 97 of 97 .*in the file unused: layer1\.3/,
    );
  });

  it('refuse a file that no known network fits', () => {
    writeSafetensors(scratch('g.safetensors'), new Map([['w', { shape: [1, 1], data: Float32Array.of(1) }]]));
    expect(loadMessage(scratch('g.safetensors'))).toMatch(
      /those of no known network; name one of tiny, resnet20/,
    );
  });

  it('keep what fits where a partial match is allowed', () => {
    saveParameters(scratch('h.safetensors'), resnet20, parameters);
    const finer = networkByName('resnet20', { classes: 100 });
    const loaded = loadParameters(scratch('h.safetensors'), finer, { partial: true });
    expect(loaded.account).toMatchObject({ matched: 95, missing: [] });
    expect(loaded.account.shapeMismatches.map(({ parameter }) => parameter)).toEqual([
      'linear.weight',
      'linear.bias',
    ]);
    expect(loaded.parameters.has('linear.weight')).toBe(false);
  });

  it('refuse parameters that are not finite, and codes in place of weights', () => {
    const broken = microParameters();
    broken.get('fc.weight')!.data[5] = Number.NaN;
    writeSafetensors(scratch('i.safetensors'), broken);
    expect(loadMessage(scratch('i.safetensors'), MICRO)).toMatch(
      /parameter 'fc\.weight' holds NaN at position 5/,
    );
    const codes = new Map(
      [...microParameters()].map(([name, { shape, data }]) => [name, { shape, data: Int8Array.from(data) }]),
    );
    writeSafetensors(scratch('j.safetensors'), codes);
    expect(loadMessage(scratch('j.safetensors'), MICRO)).toMatch(/0 of 7 parameters matched/);
  });

  it('refuse to save parameters that are incomplete', () => {
    const lacking = microParameters();
    lacking.delete('bn.bias');
    expect(() => saveParameters(scratch('k'), MICRO, lacking)).toThrow(/parameter 'bn\.bias' is missing/);
  });

  it('saveParameters writes no numbers that are not finite', () => {
    const parameters = microParameters();
    const [name, { shape, data }] = [...parameters][0];
    parameters.set(name, { shape, data: data.map(() => Number.NaN) });
    const path = scratch('nan.safetensors');
    expect(() => saveParameters(path, MICRO, parameters)).toThrow(InputError);
    expect(existsSync(path)).toBe(false);
  });
});
