import { describe, expect, it } from 'vitest';
import { createNetworkAdmm, gradualLimit, type NetworkAdmmSettings } from '../../src/admm/network-admm';
import { layerWeights, trainedLayers, writeCodes } from '../../src/admm/trained-layers';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { evenTileRows } from '../../src/bitplanes/even-tile-rows';
import { InputError } from '../../src/errors';
import { initialParameters } from '../../src/networks/initial-parameters';
import { crossbarNodes } from '../../src/quantization/crossbar-layers';
import { weightMatrix } from '../../src/quantization/weight-matrix';
import { packParameters, parameterLayout } from '../../src/training/parameter-vector';
import { normals, relativeDifference } from '../tensor/values';
import { mixedNetwork } from '../training/small-networks';

const network = mixedNetwork();
const std = [0.25, 0.2, 0.3];
const layers = trainedLayers(network, std);
const { length } = parameterLayout(network);
const settings: NetworkAdmmSettings = {
  tileRows: 16,
  weightBits: 6,
  bitLimit: Object.fromEntries(layers.map(({ name }) => [name, 2])),
  interval: 2,
  rho: [0.01, 0.1],
  balance: false,
  method: 'greedy',
};
const start = normals(length, 'weights');

/** Gradient descent on |w - start|^2 / 2 under the pull, as a training would see it. */
function minimise(admm: ReturnType<typeof createNetworkAdmm>, steps: number) {
  const weights = start.slice();
  for (let step = 0; step < steps; step++) stepOnce(admm, step, steps, weights);
  return weights;
}

function stepOnce(
  admm: ReturnType<typeof createNetworkAdmm>,
  step: number,
  steps: number,
  weights: Float32Array,
): void {
  admm.beforeStep!(step, steps, () => weights);
  const { strength, force } = admm.pull!()!;
  const rate = 0.5 / (1 + Math.max(...strength));
  for (let round = 0; round < 20; round++)
    for (let i = 0; i < length; i++)
      weights[i] -= rate * (weights[i] - start[i] + strength[i] * weights[i] - force[i]);
}

describe('createNetworkAdmm', () => {
  it('draws the weights to codes that keep every limit, and leaves other parameters alone', () => {
    const admm = createNetworkAdmm(layers, length, { ...settings, rho: [0.05, 20] });
    const weights = minimise(admm, 60);
    const codes = admm.codes();
    for (const layer of layers) {
      const { name, rows, columns, offset } = layer;
      const shape = { rows, columns, tileRows: evenTileRows(rows, 16), weightBits: 6, bitLimit: 2 };
      expect(certifyLayer({ ...codes.get(name)!, ...shape }).holds).toBe(true);
      const target = new Float32Array(length);
      writeCodes(layer, codes.get(name)!, target);
      let distance = 0;
      let size = 0;
      for (let i = offset; i < offset + rows * columns; i++) {
        distance += (weights[i] - target[i]) ** 2;
        size += weights[i] ** 2;
      }
      expect(distance / size).toBeLessThan(0.01);
    }
    const held = new Set(layers.flatMap(({ offset, rows, columns }) => [offset, offset + rows * columns]));
    const rest = Math.max(...held);
    expect(weights.subarray(rest)).toEqual(start.subarray(rest));
    expect(admm.report!().primalResidual).toBeLessThan(0.1);
  });

  it('keeps the last limits where the training has steps for one projection alone', () => {
    const admm = createNetworkAdmm(layers, length, { ...settings, interval: 100, firstBitLimit: 9 });
    admm.beforeStep!(0, 50, () => start);
    const { strength } = admm.pull!()!;
    expect(strength[layers[0].offset]).toBeCloseTo(settings.rho[1], 6);
    for (const { name, rows, columns } of layers) {
      const shape = { rows, columns, tileRows: evenTileRows(rows, 16), weightBits: 6, bitLimit: 2 };
      expect(certifyLayer({ ...admm.codes().get(name)!, ...shape }).holds).toBe(true);
    }
  });

  it('restored from its state, goes on as if it had not stopped', () => {
    const whole = createNetworkAdmm(layers, length, { ...settings, balance: true, method: 'lagrangian' });
    const wanted = minimise(whole, 8);
    const first = createNetworkAdmm(layers, length, { ...settings, balance: true, method: 'lagrangian' });
    const half = start.slice();
    for (let step = 0; step < 4; step++) stepOnce(first, step, 8, half);
    const kept = new Map([...first.state()].map(([name, data]) => [name, { data: data.slice() }]));
    const second = createNetworkAdmm(layers, length, { ...settings, balance: true, method: 'lagrangian' });
    second.restore(kept as never);
    for (let step = 4; step < 8; step++) stepOnce(second, step, 8, half);
    expect(half).toEqual(wanted);
    expect(second.report!()).toEqual(whole.report!());
  });

  it('refuses a state of other layers', () => {
    const admm = createNetworkAdmm(layers, length, settings);
    const state = new Map([...admm.state()].map(([name, data]) => [name, { data }]));
    state.delete('dual');
    expect(() => admm.restore(state)).toThrow(InputError);
  });

  it.each([
    [{ interval: 0 }, 'interval'],
    [{ rho: [0, 1] as const }, 'rho'],
  ])('refuses %j in one line', (change, field) => {
    expect(() => createNetworkAdmm(layers, length, { ...settings, ...change })).toThrow(field);
  });
});

describe('gradualLimit', () => {
  it('falls from the first to the last limit on a cubic curve, fast at first', () => {
    const limits = [0, 0.25, 0.5, 0.75, 1].map((share) => gradualLimit(3, 31, share));
    expect(limits).toEqual([31, 15, 7, 3, 3]);
    expect([gradualLimit(3, undefined, 0.2), gradualLimit(7, 5, 0)]).toEqual([3, 7]);
  });
});

describe('trainedLayers', () => {
  it('gives crossbar weights in which the picture layer has the pixel scale folded in, and writes them back', () => {
    const [first, ...others] = layers;
    const weights = layerWeights(first, start);
    expect(weights[first.columns]).toBeCloseTo(start[first.offset + first.columns] / (255 * std[1]), 7);
    for (const layer of others)
      expect(layerWeights(layer, start)).toEqual(
        start.subarray(layer.offset, layer.offset + layer.rows * layer.columns),
      );
    const codes = Int8Array.from({ length: first.rows * first.columns }, (_, i) => (i % 7) - 3);
    const scales = new Float32Array(first.columns).fill(0.5);
    const vector = new Float32Array(length);
    writeCodes(first, { codes, scales }, vector);
    const back = layerWeights(first, vector);
    codes.forEach((code, i) => {
      expect(back[i]).toBeCloseTo(code * 0.5, 5);
    });
  });

  it('gives those of the folded network where the picture layer is grouped', () => {
    const nodes = network.nodes.map((node) =>
      node.op === 'conv' && node.input === 'input' ? { ...node, groups: 3 } : node,
    );
    const grouped = { ...network, nodes };
    const [first] = trainedLayers(grouped, std);
    const parameters = initialParameters(grouped, 1);
    const vector = packParameters(parameters, parameterLayout(grouped).slots);
    const wanted = weightMatrix(crossbarNodes(grouped)[0], parameters, { std });
    expect(relativeDifference(layerWeights(first, vector), wanted)).toBeLessThan(1e-6);
    const codes = Int8Array.from({ length: first.rows * first.columns }, (_, i) => (i % 7) - 3);
    const scales = new Float32Array(first.columns).fill(0.5);
    writeCodes(first, { codes, scales }, vector);
    expect(
      relativeDifference(
        layerWeights(first, vector),
        Float32Array.from(codes, (code) => code * 0.5),
      ),
    ).toBeLessThan(1e-6);
  });
});
