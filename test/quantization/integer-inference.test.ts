import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import type { ConvNode, DenseNode, NetworkDescription } from '../../src/networks/description';
import { createInference } from '../../src/networks/inference';
import { initialParameters } from '../../src/networks/initial-parameters';
import { networkByName } from '../../src/networks/network-by-name';
import { append, appendConv, appendDense, startChain } from '../../src/networks/node-chain';
import { buildIntegerNetwork, withWeightBits } from '../../src/quantization/build-integer-network';
import { createIntegerInference } from '../../src/quantization/integer-inference';
import { loadLayer } from '../../src/quantization/integer-layer';
import { liveTensors, read, scope, upload } from '../../src/tensor/engine';
import { randomStream } from '../../src/tensor/random';
import { relativeDifference } from '../tensor/values';
import { denseNetwork, mixedNetwork } from '../training/small-networks';
import { plainIntegerNetwork } from './plain-integer-network';
import { dataset, pictures, smallModel } from './small-model';

const firstPictures = (count: number) => ({
  ...pictures,
  count,
  pixels: pictures.pixels.subarray(0, count * 768),
});

describe('createIntegerInference', () => {
  it.each([
    ['every kind of node', mixedNetwork(), 8, 8],
    ['few bits', mixedNetwork(), 4, 3],
    [
      'a global pool',
      { ...networkByName('tiny', { classes: 4 }), input: { height: 16, width: 16, channels: 3 } },
      8,
      8,
    ],
  ])('gives, layer by layer, the integers of plain loops: %s', (_, description, weightBits, inputBits) => {
    const { network } = smallModel(description, { weightBits, inputBits });
    for (let i = 0; i < 3; i++) {
      const pixels = pictures.pixels.slice(i * 768, (i + 1) * 768);
      const plain = plainIntegerNetwork(network, pixels);
      let others = 0;
      let all = 0;
      const seen: string[] = [];
      const inference = createIntegerInference(network, {
        onLayer: (node, inputCodes, exactSums) => {
          seen.push(node.name);
          const expected = plain.layers.get(node.name)!;
          const input = Float64Array.from(read(inputCodes));
          expect(input.length).toBe(expected.input.length);
          const differing = input.filter((code, at) => code !== expected.input[at]).length;
          // A value next to a tie may round otherwise in float32; all else must be equal to the bit.
          if (differing === 0) expect(Float64Array.from(read(exactSums()))).toEqual(expected.sums);
          else expect(input.every((code, at) => Math.abs(code - expected.input[at]) <= 1)).toBe(true);
          others += differing;
          all += input.length;
          return undefined;
        },
      });
      const logits = inference.logits({ ...pictures, count: 1, pixels });
      inference.dispose();
      expect(seen).toEqual([...network.layers.keys()]);
      expect(others / all).toBeLessThan(0.002);
      expect(relativeDifference(logits, plain.logits)).toBeLessThan(others === 0 ? 1e-5 : 0.05);
    }
  });

  it('comes close to the float network with 8 bits', () => {
    const { network, folded } = smallModel(mixedNetwork());
    const float = createInference(folded.description, folded.parameters, dataset);
    const integer = createIntegerInference(network);
    const expected = float.logits(pictures);
    expect(relativeDifference(integer.logits(pictures), expected)).toBeLessThan(0.05);
    float.dispose();
    integer.dispose();
  });

  it('folds mean and deviation exactly into the layer that reads the picture, its border included', () => {
    const chain = startChain();
    appendConv(chain, 'conv', { from: 3, to: 4, kernel: 3, stride: 2, bias: true });
    append(chain, { op: 'relu', name: 'relu', input: chain.end });
    append(chain, { op: 'flatten', name: 'flatten', input: chain.end });
    appendDense(chain, 'fc', 256, 4);
    const input = { height: 16, width: 16, channels: 3 };
    const description: NetworkDescription = { name: 'first', input, classes: 4, nodes: chain.nodes };
    const parameters = initialParameters(description, 5);
    const std = [0.2, 0.25, 0.3];
    const mean = [0.5, 0.45, 0.4];
    const stream = randomStream(1, 'codes');
    const { data } = parameters.get('conv.weight')!;
    // Weights whose quotients by 255 std are whole multiples of one step, the largest 127 of it.
    for (let i = 0; i < data.length; i++) {
      const code = i % 27 === 0 ? 127 : stream.integer(255) - 127;
      data[i] = code * 2 ** -12 * 255 * std[Math.floor(i / 9) % 3];
    }
    const options = { mean, std };
    const network = buildIntegerNetwork(description, parameters, options, pictures, {
      weightBits: 8,
      inputBits: 8,
    });
    const outputs: Float32Array[] = [];
    const probe = (name: string, output: Parameters<typeof read>[0]) => {
      if (name === 'conv') outputs.push(read(output) as Float32Array);
      return output;
    };
    const afterNode = (node: { name: string }, output: Parameters<typeof read>[0]) =>
      probe(node.name, output);
    const float = createInference(description, parameters, { ...options, afterNode });
    float.logits(firstPictures(2));
    float.dispose();
    const layer = network.layers.get('conv')!;
    scope(() => {
      const node = description.nodes[0];
      if (node.op !== 'conv') throw new Error('the first node is a convolution');
      const loaded = loadLayer(node, layer, mean);
      const codes = upload(Float32Array.from(firstPictures(2).pixels), [2, 16, 16, 3]);
      const output = read(loaded.output(codes, loaded.sums(codes)));
      expect(relativeDifference(output, outputs[0])).toBeLessThan(1e-5);
      loaded.dispose();
      return undefined;
    });
  });

  it.each(['dense', 'conv'])('adds up integers that pass 2^24 exactly: %s', (op) => {
    const rows = 4608;
    const named = { name: 'fc', input: 'x', bias: true } as const;
    const node: DenseNode | ConvNode =
      op === 'dense'
        ? { ...named, op, inFeatures: rows, outFeatures: 3 }
        : {
            ...named,
            op: 'conv',
            inChannels: rows,
            outChannels: 3,
            kernel: 1,
            stride: 1,
            padding: 0,
            groups: 1,
          };
    const stream = randomStream(1, 'large');
    const codes = Int8Array.from(
      { length: rows * 3 },
      (_, i) => [127, -127, stream.integer(255) - 127][i % 3],
    );
    const inputs = Float32Array.from({ length: 2 * rows }, (_, i) => (i < rows ? 255 : stream.integer(256)));
    const layer = {
      name: 'fc',
      rows,
      columns: 3,
      codes,
      scales: new Float32Array(3).fill(0.5),
      bias: Float32Array.of(1, 2, 3),
      inputScale: 1,
      inputBits: 8,
      inputSigned: false,
    };
    const expected: number[] = [];
    for (let m = 0; m < 2; m++)
      for (let n = 0; n < 3; n++) {
        let sum = 0n;
        for (let i = 0; i < rows; i++) sum += BigInt(inputs[m * rows + i]) * BigInt(codes[i * 3 + n]);
        expected.push(Number(sum));
      }
    expect(expected[0]).toBe(rows * 127 * 255);
    scope(() => {
      const loaded = loadLayer(node, layer, []);
      const x = upload(inputs, op === 'dense' ? [2, rows] : [2, 1, 1, rows]);
      const sums = loaded.sums(x);
      expect([...read(sums)]).toEqual(expected);
      const output = read(loaded.output(x, sums));
      expected.forEach((sum, i) => {
        expect(output[i]).toBe(Math.fround(Math.fround(sum) * 0.5 + ((i % 3) + 1)));
      });
      loaded.dispose();
      return undefined;
    });
  });

  it('frees every tensor', () => {
    const once = () => {
      const { network } = smallModel(mixedNetwork());
      const inference = createIntegerInference(network);
      inference.logits(firstPictures(2));
      inference.dispose();
    };
    once();
    const before = liveTensors();
    once();
    expect(liveTensors()).toBe(before);
  });
});

describe('withWeightBits', () => {
  it('gives what building with those bits gives', () => {
    const { network, folded } = smallModel(mixedNetwork());
    for (const weightBits of [2, 5, 8])
      expect(withWeightBits(network, folded.parameters, weightBits)).toEqual(
        smallModel(mixedNetwork(), { weightBits }).network,
      );
    expect(() => withWeightBits(network, folded.parameters, 9)).toThrow(/weightBits: 9 is not/);
  });
});

describe('buildIntegerNetwork', () => {
  const refusal = (body: () => unknown) => {
    expect(body).toThrow(InputError);
    return expect(body);
  };

  it('refuses bits out of range', () => {
    refusal(() => smallModel(mixedNetwork(), { weightBits: 1 })).toThrow(/weightBits: 1 is not/);
    refusal(() => smallModel(mixedNetwork(), { weightBits: 9 })).toThrow(/weightBits: 9 is not/);
    refusal(() => smallModel(mixedNetwork(), { inputBits: 0 })).toThrow(/inputBits: 0 is not/);
  });

  it('refuses a network in which something else than a convolution reads the picture', () => {
    refusal(() => smallModel(denseNetwork())).toThrow(
      /node 'flatten': only convolutions may read the picture/,
    );
  });

  it('refuses one bit for inputs of both signs, and codes them in twos complement otherwise', () => {
    const description = mixedNetwork();
    const nodes = description.nodes
      .filter(({ name }) => name !== 'relu2')
      .map((node) =>
        node.name === 'drop2' ? { ...node, input: 'fc1' } : node,
      ) as NetworkDescription['nodes'];
    const signed = { ...description, nodes };
    refusal(() => smallModel(signed, { inputBits: 1 })).toThrow(/layer 'fc2' has both signs/);
    const { network } = smallModel(signed, { inputBits: 4 });
    expect(network.layers.get('fc2')!.inputSigned).toBe(true);
    let codes: number[] = [];
    const inference = createIntegerInference(network, {
      onLayer: (node, input) => {
        if (node.name === 'fc2') codes = [...read(input)];
        return undefined;
      },
    });
    inference.logits(pictures);
    inference.dispose();
    expect(Math.min(...codes)).toBeLessThan(0);
    expect(Math.min(...codes)).toBeGreaterThanOrEqual(-8);
    expect(Math.max(...codes)).toBeLessThanOrEqual(7);
  });
});
