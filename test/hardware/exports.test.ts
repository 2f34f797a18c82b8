import { beforeAll, describe, expect, it } from 'vitest';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { exportFormats, exportNetwork } from '../../src/experiments/export-network';
import type { CrossSimLayer } from '../../src/hardware/exports/crosssim';
import { neurosimInputs, neurosimNetwork, neurosimWeights } from '../../src/hardware/exports/neurosim';
import { layerMapping } from '../../src/hardware/layer-mapping';
import { networkByName } from '../../src/networks/network-by-name';
import { nodeShapes } from '../../src/networks/node-shapes';
import { crossbarNodes } from '../../src/quantization/crossbar-layers';
import type { IntegerNetwork } from '../../src/quantization/integer-network';
import { toOnnx } from '../../src/quantization/to-onnx';
import { pictures, smallModel } from '../quantization/small-model';
import { mixedNetwork } from '../training/small-networks';

const tileRows = 32;
const { network: dense, folded } = smallModel(mixedNetwork());
const picture = { ...pictures, count: 1, pixels: pictures.pixels.subarray(0, 768) };
let network: IntegerNetwork;
beforeAll(() => {
  const settings = { tileRows, adcBits: 2, compensation: 'none', patches: 200 } as const;
  network = prunePostTraining(dense, folded, pictures, settings).network;
});

/** Fields of a protocol-buffer message, read independently of how they are written. */
function fields(bytes: Uint8Array): { field: number; value: number | Uint8Array }[] {
  const found: { field: number; value: number | Uint8Array }[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, wire] = [key >> 3, key & 7];
    if (wire === 0) found.push({ field, value: varint() });
    else {
      const length = wire === 5 ? 4 : varint();
      found.push({ field, value: bytes.subarray(at, at + length) });
      at += length;
    }
  }
  return found;
}

const all = (bytes: Uint8Array, field: number) =>
  fields(bytes).flatMap((own) => (own.field === field ? [own.value as Uint8Array] : []));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

describe('toOnnx', () => {
  it('defines every name before it is read, and holds the codes', () => {
    const [graph] = all(toOnnx(network), 7);
    const constants = new Map(all(graph, 5).map((tensor) => [text(all(tensor, 8)[0]), tensor]));
    const known = new Set(['picture', ...constants.keys()]);
    const operators = new Set<string>();
    for (const node of all(graph, 1)) {
      for (const name of all(node, 1)) expect(known).toContain(text(name));
      const [output] = all(node, 2).map(text);
      expect(known).not.toContain(output);
      known.add(output);
      operators.add(text(all(node, 4)[0]));
    }
    expect(known).toContain('logits');
    for (const operator of ['Conv', 'Gemm', 'MaxPool', 'Pad', 'Slice', 'AveragePool', 'DequantizeLinear'])
      expect(operators).toContain(operator);
    for (const { name, codes, columns, rows } of network.layers.values()) {
      const tensor = constants.get(`${name}.weight.codes`)!;
      const dims = fields(tensor).flatMap(({ field, value }) => (field === 1 ? [value as number] : []));
      const raw = all(tensor, 9)[0];
      const stored = new Int8Array(raw.buffer, raw.byteOffset, raw.length);
      if (dims.length === 2) expect(stored).toEqual(codes);
      else {
        const [, channels, kernel] = dims;
        for (let at = 0; at < stored.length; at++) {
          const [column, row] = [Math.floor(at / rows), at % rows];
          const [c, tap] = [Math.floor(row / kernel ** 2), row % kernel ** 2];
          expect(stored[at]).toBe(codes[(tap * channels + c) * columns + column]);
        }
      }
    }
  });
  it('carries the pruning record', () => {
    const [entry] = all(toOnnx(network), 14);
    expect(JSON.parse(text(all(entry, 2)[0]))).toMatchObject({ tileRows, adcBits: 2 });
    expect(all(toOnnx(dense), 14)).toEqual([]);
  });
});

describe('the NeuroSim export', () => {
  it('has the lines of ResNet-20 that give its output sizes', () => {
    const lines = neurosimNetwork(networkByName('resnet20')).trim().split('\n');
    expect(lines.length).toBe(20);
    expect([lines[0], lines[7], lines[19]]).toEqual([
      '34,34,3,3,3,16,0,1',
      '34,34,16,3,3,32,0,2',
      '1,1,64,1,1,10,0,1',
    ]);
    // Sides that the stride does not fit, as at 112 pixels: still the sizes of the outputs.
    const small = networkByName('resnet18-imagenet');
    const sized = { ...small, input: { ...small.input, height: 112, width: 112 } };
    const shapes = nodeShapes(sized);
    crossbarNodes(sized).forEach((node, i) => {
      if (node.op !== 'conv') return;
      const [height, width, , kernel, , , , stride] = neurosimNetwork(sized)
        .split('\n')
        [i].split(',')
        .map(Number);
      expect([(height - kernel + 1) / stride, (width - kernel + 1) / stride]).toEqual(
        shapes.get(node.name)!.slice(0, 2),
      );
    });
    const vgg = neurosimNetwork(networkByName('vgg11')).trim().split('\n');
    expect(vgg[0].split(',')[6]).toBe('1');
  });
  it('writes weights as parts of one and input bits from the highest', () => {
    expect(neurosimWeights(Int8Array.of(127, -64, 0, 32), 2, 8)).toBe('0.9921875,-0.5\n0,0.25\n');
    const trace = { inputs: Uint8Array.of(5, 0, 255, 128), vectors: 2 };
    expect(neurosimInputs(trace, 2, 8)).toBe(
      '0,0,0,0,0,1,0,1,1,1,1,1,1,1,1,1\n0,0,0,0,0,0,0,0,1,0,0,0,0,0,0,0\n',
    );
  });
  it('names every file in the command of V1.4', () => {
    const files = exportNetwork(network, 'neurosim', { name: 'mixed', picture });
    const command = String(files.find(({ path }) => path.endsWith('trace_command.sh'))!.content);
    expect(command).toMatch(/^\.\/NeuroSIM\/main \.\/NeuroSIM\/NetWork_mixed\.csv 8 8 32 32 /);
    for (const { path } of files) if (!path.endsWith('.sh')) expect(command).toContain(`./${path}`);
    expect(() => exportNetwork(network, 'neurosim', { name: 'mixed' })).toThrow(/a picture is needed/);
  });
});

describe('the CrossSim export', () => {
  it('has ADC limits that the fullest columns keep, and weights in whole tiles', () => {
    const files = exportNetwork(network, 'crosssim', { name: 'mixed' });
    const { layers } = JSON.parse(String(files.find(({ path }) => path === 'crosssim.json')!.content));
    for (const { name, weights, mostOnes, parameters } of layers as CrossSimLayer[]) {
      expect(parameters['xbar.adc.mvm.calibrated_range']).toEqual(mostOnes.map(() => [0, 3]));
      expect(Math.max(...mostOnes)).toBeLessThanOrEqual(3);
      const { rows, columns, codes } = network.layers.get(name)!;
      const file = files.find(({ path }) => path === weights)!.content as Uint8Array;
      const arrays = Math.ceil(rows / tileRows);
      const width = arrays * Math.ceil(rows / arrays);
      const start = file.length - columns * width;
      expect(start % 64).toBe(0);
      expect(text(file.subarray(0, start))).toContain(`'shape': (${columns}, ${width})`);
      const values = new Int8Array(file.buffer, file.byteOffset + start, columns * width);
      values.forEach((value, at) => {
        const [column, row] = [Math.floor(at / width), at % width];
        expect(value).toBe(row < rows ? codes[row * columns + column] : 0);
      });
    }
  });
  it('refuses what has other columns there', () => {
    const pruning = { ...network.pruning!, encoding: 'offset' } as const;
    expect(() => exportNetwork({ ...network, pruning }, 'crosssim', { name: 'mixed' })).toThrow(
      /only sign-split/,
    );
  });
});

describe('the Timeloop export', () => {
  it('has problems of as many multiplications as the layers, and the energy of a conversion', () => {
    const files = exportNetwork(network, 'timeloop', { name: 'mixed' });
    const problems = files.filter(({ path }) => path.startsWith('problems/'));
    const names = [...network.layers.keys()];
    problems.forEach(({ content }, i) => {
      const sizes = Object.fromEntries(
        [...String(content).matchAll(/\b([NCMPQRS]): (\d+)/g)].map(([, key, value]) => [key, Number(value)]),
      );
      const { rows, columns } = network.layers.get(names[i])!;
      expect(sizes.C * sizes.R * sizes.S).toBe(rows);
      expect(sizes.M).toBe(columns);
      const layer = { ...network.layers.get(names[i])!, adcBits: 2, tileRows, vectors: sizes.P * sizes.Q };
      expect(layerMapping(layer).macs).toBe(
        ['N', 'C', 'M', 'P', 'Q', 'R', 'S'].reduce((product, key) => product * sizes[key], 1),
      );
    });
    const energies = String(files.find(({ path }) => path.endsWith('ERT.yaml'))!.content);
    expect(Number(/adc_2b[\s\S]*?energy: (\S+)/.exec(energies)![1])).toBeCloseTo(0.1954 * 2 + 4.14e-4 * 4, 9);
    expect(String(files.find(({ path }) => path.endsWith('ART.yaml'))!.content)).toMatch(/adc_2b/);
  });
  it('leaves the sliced bits to a macro of CiMLoop, and has ours and every weight’s value beside', () => {
    const files = exportNetwork(network, 'timeloop', { name: 'mixed' });
    for (const { path, content } of files.filter(({ path }) => path.startsWith('problems/'))) {
      expect(content).toMatch(/X: ENCODED_INPUT_BITS, Y: ENCODED_WEIGHT_BITS, Z: ENCODED_OUTPUT_BITS/);
      expect(content).toMatch(/notes: "8-bit weights, 8-bit inputs, R = 32, ADCs of 2 bits"/);
      const counts = /Weights: \[(.*)\]/.exec(String(content))![1].split(', ').map(Number);
      const { codes } = network.layers.get(/\d+-(.*)\.yaml/.exec(path)![1])!;
      expect(counts).toEqual(
        Array.from({ length: 255 }, (_, i) => codes.filter((code) => code === i - 127).length),
      );
    }
    // Eight input pulses, 7 planes of either sign.
    expect(files.find(({ path }) => path === 'variables.yaml')!.content).toMatch(
      /ENCODED_INPUT_BITS: 8\n {2}ENCODED_WEIGHT_BITS: 14\n/,
    );
  });
});

describe('exportNetwork', () => {
  it('refuses grouped layers and networks that were not pruned', () => {
    for (const format of exportFormats.filter((own) => own === 'timeloop' || own === 'crosssim'))
      expect(() => exportNetwork(dense, format, { name: 'dense' })).toThrow(/not a pruned network/);
    const description = {
      ...network.description,
      nodes: network.description.nodes.map((node) => (node.op === 'conv' ? { ...node, groups: 3 } : node)),
    };
    const grouped = { ...network, description };
    for (const format of ['neurosim', 'crosssim'] as const)
      expect(() => exportNetwork(grouped, format, { name: 'grouped', picture })).toThrow();
  });
});
