import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import { readSafetensors } from '../../src/networks/read-safetensors';
import { type WritableTensor, writeSafetensors } from '../../src/networks/write-safetensors';
import { crossbarNodes } from '../../src/quantization/crossbar-layers';
import type { IntegerNetwork } from '../../src/quantization/integer-network';
import { loadIntegerNetwork, saveIntegerNetwork } from '../../src/quantization/model-file';
import { scratchFolder } from '../networks/scratch-folder';
import { mixedNetwork } from '../training/small-networks';
import { smallModel } from './small-model';

const scratch = scratchFolder();
const { network } = smallModel(mixedNetwork());
const names = [...network.layers.keys()];
const pruned: IntegerNetwork = {
  ...network,
  pruning: {
    method: 'test',
    tileRows: 128,
    encoding: 'sign-split',
    adcBits: 3,
    bitLimit: Object.fromEntries(names.map((name) => [name, 7])),
    valueLimit: Object.fromEntries(names.map((name) => [name, 20])),
  },
};

const flipped: IntegerNetwork = {
  ...network,
  layers: new Map(
    [...network.layers].map(([name, layer]) => {
      const length = Math.ceil(layer.rows / 128) * layer.columns;
      return [name, { ...layer, flips: Uint8Array.from({ length }, (_, i) => i % 2) }];
    }),
  ),
  pruning: {
    method: 'test',
    tileRows: 128,
    encoding: 'offset',
    cellBits: 2,
    dacBits: 1,
    adcBits: Object.fromEntries(names.map((name, i) => [name, i % 2 ? 7 : [0, 6, 6, 7]])),
    bitLimit: Object.fromEntries(names.map((name) => [name, [0, 60, 60, 127]])),
  },
};

/** Writes the pruned network with one thing changed, and gives the one line that refuses it. */
function refusal(
  change: (tensors: Map<string, WritableTensor>, metadata: Record<string, string>) => void,
  original = pruned,
): string {
  const path = scratch('damaged.safetensors');
  saveIntegerNetwork(path, original);
  const { tensors, metadata } = readSafetensors(path);
  const changed = { ...metadata };
  change(tensors, changed);
  writeSafetensors(path, tensors, changed);
  try {
    loadIntegerNetwork(path);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).not.toContain('\n');
    expect((error as Error).message).toContain(path);
    return (error as Error).message;
  }
  return 'loaded';
}

/** Changes a field of a metadata entry, a JSON text. */
const inField =
  (name: string, change: (value: Record<string, never>) => unknown) =>
  (_: unknown, metadata: Record<string, string>) => {
    metadata[name] = JSON.stringify(change(JSON.parse(metadata[name])));
  };

describe('the file of an integer network', () => {
  it.each([
    ['unpruned', network],
    ['pruned', pruned],
    ['pruned in offset encoding with flips, limits by plane and ADCs by layer and plane', flipped],
  ])('gives back every bit: %s', (_, original) => {
    const path = scratch('whole.safetensors');
    saveIntegerNetwork(path, original, { source: { model: 'x' }, weightBits: 2 });
    expect(loadIntegerNetwork(path)).toEqual(original);
    expect(readSafetensors(path).metadata.source).toBe('{"model":"x"}');
  });

  it('is refused, naming what is wrong, when tensors are missing, of another type or shape, or out of range', () => {
    const zeros = (shape: number[], Kind: typeof Int8Array | typeof Float32Array): WritableTensor => ({
      shape,
      data: new Kind(shape.reduce((a, b) => a * b)),
    });
    expect(refusal((tensors) => tensors.delete('fc1.codes'))).toMatch(
      /tensor 'fc1.codes' is missing or not I8/,
    );
    expect(refusal((tensors) => tensors.delete('fc1.bias'))).toMatch(/tensor 'fc1.bias' is missing/);
    expect(refusal((tensors) => tensors.set('fc1.codes', zeros([40, 12], Float32Array)))).toMatch(/not I8/);
    expect(refusal((tensors) => tensors.set('fc1.codes', zeros([12, 40], Int8Array)))).toMatch(/fc1/);
    expect(refusal((tensors) => tensors.set('fc1.codes', zeros([39, 12], Int8Array)))).toMatch(
      /'fc1.codes' is \[39, 12\], its layer needs \[40, 12\]/,
    );
    expect(refusal((tensors) => tensors.set('conv1.scales', zeros([5], Float32Array)))).toMatch(/F32 \[6\]/);
    expect(refusal((tensors) => tensors.set('conv1.scales', zeros([6], Float32Array)))).toMatch(
      /layer 'conv1': scale 0 is not above 0/,
    );
    const bad = { shape: [6], data: new Float32Array(6).fill(Number.NaN) };
    expect(refusal((tensors) => tensors.set('conv1.bias', bad))).toMatch(/'conv1': bias NaN/);
    expect(refusal((tensors) => (tensors.get('fc2.codes')!.data as Int8Array).fill(-128))).toMatch(
      /'fc2': code -128 is outside -127..127/,
    );
  });

  it('is refused where layers read the same input in different codes', () => {
    const nodes = crossbarNodes(network.description);
    const [first, second] = nodes.filter(
      ({ input }) => nodes.filter((own) => own.input === input).length > 1,
    );
    const layer = network.layers.get(second.name)!;
    const apart = { ...layer, inputScale: 2 * layer.inputScale };
    const path = scratch('apart.safetensors');
    saveIntegerNetwork(path, { ...network, layers: new Map(network.layers).set(second.name, apart) });
    expect(() => loadIntegerNetwork(path)).toThrow(
      `layers '${first.name}' and '${second.name}' read the same input with inputScale`,
    );
  });

  it('is not written with numbers that are not finite', () => {
    const path = scratch('unwritten.safetensors');
    const [name, layer] = [...network.layers][0];
    const scales = layer.scales.map(() => Number.NaN);
    const broken = { ...network, layers: new Map(network.layers).set(name, { ...layer, scales }) };
    expect(() => saveIntegerNetwork(path, broken)).toThrow(
      `${path}: layer '${name}': scales: NaN is not finite`,
    );
    expect(existsSync(path)).toBe(false);
  });

  it.each(['../conv1', 'a\\b', '/conv1', '..', '.'])(
    'is refused where a node has a name that leads out of a folder: %s',
    (name) => {
      const renamed = (description: { nodes: { name: string; input: string }[] }) => {
        const old = description.nodes[0].name;
        description.nodes[0].name = name;
        for (const node of description.nodes) if (node.input === old) node.input = name;
        return description;
      };
      const line = refusal(inField('description', (value) => renamed(value as never)));
      expect(line).toContain(`'description': node name ${JSON.stringify(name)}`);
    },
  );

  it('is refused, naming what is wrong, when metadata are missing, no JSON or out of range', () => {
    for (const name of ['description', 'layers', 'weightBits', 'mean', 'std'])
      expect(refusal((_, metadata) => delete metadata[name])).toContain(`metadata '${name}' is missing`);
    for (const name of ['description', 'layers', 'weightBits', 'mean', 'std', 'pruning']) {
      const cut = (_: unknown, metadata: Record<string, string>) => {
        metadata[name] = `${metadata[name]}}`;
      };
      expect(refusal(cut)).toContain(`metadata '${name}' is no JSON`);
      for (const nothing of ['null', '7.5', '{}']) {
        const line = refusal((_, metadata) => {
          metadata[name] = nothing;
        });
        expect(line, `${name}: ${nothing}`).not.toBe('loaded');
      }
    }
    expect(refusal((_, metadata) => delete metadata.format)).toMatch(/no integer network \(format 'none'\)/);
    expect(
      refusal((_, metadata) => {
        metadata.format = 'cim-pruning integer network 1';
      }),
    ).toMatch(/written as 'cim-pruning integer network 1', this version reads .* 2': prune it again/);
    expect(
      refusal(
        inField('layers', ({ conv1, ...rest }) => ({
          ...rest,
          conv1: { ...(conv1 as object), tileRows: 26 },
        })),
      ),
    ).toMatch(/layer 'conv1': tileRows 26 is not \d+, as R asks for/);
    expect(refusal(inField('layers', ({ fc1, ...rest }) => rest))).toMatch(/'layers' has no entry 'fc1'/);
    expect(
      refusal(inField('layers', (all) => ({ ...all, fc1: { ...(all.fc1 as object), inputBits: 9 } }))),
    ).toMatch(/'fc1': inputBits 9/);
    expect(
      refusal(inField('layers', (all) => ({ ...all, conv1: { ...(all.conv1 as object), inputScale: 2 } }))),
    ).toMatch(/'conv1': it reads the picture/);
    const signed = ({ fc1, ...rest }: Record<string, object>) => ({
      ...rest,
      fc1: { ...fc1, inputSigned: true },
    });
    expect(refusal(inField('layers', signed))).toBe('loaded');
    expect(
      refusal(inField('layers', signed), { ...pruned, pruning: { ...pruned.pruning!, dacBits: 2 } }),
    ).toMatch(/'fc1': inputSigned true: signed inputs need 1-bit DACs, not 2-bit ones/);
    expect(refusal(inField('weightBits', () => 7))).toMatch(/code -?\d+ is outside -63..63 of 7 bits/);
    expect(refusal(inField('std', () => [1, 0, 1]))).toMatch(/std \[1,0,1\] is not 3 numbers above 0/);
    expect(refusal(inField('description', ({ nodes, ...rest }) => rest))).toMatch(
      /'description': no network/,
    );
    expect(refusal(inField('description', (all) => ({ ...all, classes: 5 })))).toMatch(/must give 5 logits/);
    expect(refusal(inField('pruning', (all) => ({ ...all, tileRows: 0 })))).toMatch(/tileRows 0/);
    expect(refusal(inField('pruning', (all) => ({ ...all, adcBits: 0 })))).toMatch(/adcBits 0/);
    expect(refusal(inField('pruning', (all) => ({ ...all, adcBits: { conv1: 3 } })))).toMatch(
      /adcBits of layer '.*' missing/,
    );
    expect(refusal(inField('pruning', (all) => ({ ...all, encoding: 'gray' })))).toMatch(/encoding "gray"/);
    expect(refusal(inField('pruning', (all) => ({ ...all, cellBits: 5 })))).toMatch(/cellBits 5/);
    expect(refusal(inField('pruning', (all) => ({ ...all, encoding: 'csd', cellBits: 2 })))).toMatch(
      /cellBits 2 .* 1 in csd/,
    );
    expect(refusal(inField('pruning', (all) => ({ ...all, dacBits: 0 })))).toMatch(/dacBits 0/);
    expect(refusal(inField('pruning', (all) => ({ ...all, adcBits: { conv1: 3 } })))).toMatch(
      /adcBits of layer 'layer1.conv1' missing/,
    );
    for (const list of [[3], [0, 1, 2, 3, 4, 5, 17], [0, 1, 2, 3, 4, 5, 0.5], [0, 0, 0, 0, 0, 0, 0]])
      expect(
        refusal(
          inField('pruning', (all) => ({
            ...all,
            adcBits: { ...Object.fromEntries(names.map((name) => [name, 3])), fc1: list },
          })),
        ),
      ).toContain(
        `adcBits of layer 'fc1' ${JSON.stringify(list)} is not a whole number from 1 to 16, or 7 from 0, one above`,
      );
    expect(refusal(inField('pruning', (all) => ({ ...all, adcBits: [3, 3, 3, 3, 3, 3, 3] })))).toMatch(
      /adcBits of layer 'conv1' missing/,
    );
    expect(
      refusal(inField('pruning', (all) => ({ ...all, bitLimit: { ...(all.bitLimit as object), fc1: [1] } }))),
    ).toMatch(/bitLimit of layer 'fc1' is \[1\], not .* or 7 of them/);
    expect(refusal(inField('pruning', (all) => ({ ...all, bitLimit: { conv1: 7 } })))).toMatch(
      /bitLimit of layer 'layer1.conv1' is missing/,
    );
    expect(refusal(inField('pruning', (all) => ({ ...all, valueLimit: 7 })))).toMatch(/valueLimit of layer/);
  });

  it('is refused when flips are of another encoding, type or size', () => {
    const flips = (data: Uint8Array | Int8Array) => (tensors: Map<string, WritableTensor>) =>
      tensors.set('conv1.flips', { shape: [data.length], data });
    expect(refusal(flips(new Uint8Array(6)))).toMatch(/'conv1': flips are for offset encoding only/);
    expect(refusal(flips(new Int8Array(6)), flipped)).toMatch(/'conv1.flips' is not U8/);
    expect(refusal(flips(new Uint8Array(7)), flipped)).toMatch(
      /'conv1': flips: 7 for 1 row tiles x 6 columns/,
    );
    expect(refusal(flips(new Uint8Array(6).fill(2)), flipped)).toMatch(/'conv1': flip 2 is not 0 or 1/);
  });

  it('is refused when it is cut short or no safetensors file', () => {
    const path = scratch('short.safetensors');
    saveIntegerNetwork(path, pruned);
    const bytes = readFileSync(path);
    for (const length of [0, 5, 200, bytes.length - 1]) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(() => loadIntegerNetwork(path)).toThrow(InputError);
    }
  });
});
