import { layerJob } from '../crossbar/layer-job';
import { outputTensor } from '../crossbar/network-layer';
import { exactProduct } from '../crossbar/readout-schemes/exact-product';
import type { PictureSet } from '../data/dataset';
import { InputError } from '../errors';
import type { ConvNode, DenseNode } from '../networks/description';
import type { Inference, Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { largestAdcBits } from '../quantization/adc-bits';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { randomStream } from '../tensor/random';
import { type Accuracy, measureAccuracy } from '../training/evaluate';
import { crossbarInputs } from './crossbar-inputs';
import { type LayerVectors, layerVectors } from './layer-vectors';
import { observeLayers } from './observe-layers';
import { defaultReadoutLines, type LineResult, type ReadoutLine } from './readout-lines';

export interface ReadoutStudyOptions {
  readonly network: IntegerNetwork;
  /** Some pictures; 16 or so give every layer vectors enough, but for the dense one. */
  readonly pictures: Pictures;
  /** What is compared. Default: `defaultReadoutLines` for the ADC bits of the network's pruning record. */
  readonly lines?: readonly ReadoutLine[];
  /** R. Default: that of the pruning record. */
  readonly tileRows?: number;
  /** Input vectors a layer at most; default 256. */
  readonly vectors?: number;
  /** Others on which ranges are chosen; default 64. */
  readonly calibration?: number;
  readonly seed?: number;
  readonly onProgress?: OnProgress;
}

/** One readout on one layer. */
export interface LayerReadout {
  readonly layer: string;
  readonly outputs: number;
  /** Root mean square of the outputs' error over that of the outputs, channels weighted by their scales. */
  readonly relativeError: number;
  readonly conversions: number;
  readonly clipped: number;
  readonly comparators: number;
  readonly codeErrors?: number;
}

export interface ReadoutRow {
  readonly name: string;
  readonly scheme: ReadoutLine['scheme'];
  readonly adcBits: number;
  /** Bits of an input pulse. */
  readonly dacBits: number;
  /** Mean of the layers. */
  readonly relativeError: number;
  readonly worstLayer: string;
  readonly worstError: number;
  /** Of all layers together. */
  readonly conversionsPerOutput: number;
  readonly comparatorsPerOutput: number;
  readonly clipRate: number;
  /** Undefined where the readout has no code to compare with. */
  readonly codeErrorRate?: number;
  readonly layers: readonly LayerReadout[];
}

export interface ReadoutStudyResult {
  readonly network: string;
  readonly weightBits: number;
  readonly tileRows: number;
  readonly vectors: number;
  readonly pictures: number;
  readonly seed: number;
  readonly rows: readonly ReadoutRow[];
}

/**
 * Sends a sample of every layer's inputs, as they are in the exact network, through each readout, and compares what comes
 * out with the exact integers. Layer by layer: errors do not pass on (`readoutAccuracy` lets them).
 */
export function readoutStudy(options: ReadoutStudyOptions): ReadoutStudyResult {
  const { network, pictures, vectors = 256, calibration = 64, seed = 1, onProgress } = options;
  const tileRows = tileRowsOf(network, options.tileRows);
  const lines = options.lines ?? defaultReadoutLines(adcBitsOfRecord(network));
  const measured = lines.map((): LayerReadout[] => []);
  const total = crossbarNodes(network.description).length * lines.length;
  let done = 0;
  observeLayers(network, pictures, (node, inputCodes) => {
    const layer = network.layers.get(node.name)!;
    const sample = drawSamples(
      layerVectors(node, layer, inputCodes),
      { vectors, calibration, seed },
      node.name,
    );
    const evaluated = crossbarInputs(network, node, sample.evaluated, tileRows);
    const calibrated = crossbarInputs(network, node, sample.calibration, tileRows);
    const exact = joined(
      evaluated.map((input) => exactProduct(layerJob(input))),
      evaluated[0].columns,
    );
    lines.forEach((line, i) => {
      onProgress?.({ done: done++, total, note: `${node.name}: ${line.name}` });
      const results = evaluated.map((input, group) => {
        return line.prepare(calibrated[group], layerSeed(seed, node.name, group))(input);
      });
      measured[i].push({ layer: node.name, ...compare(layer, exact, results, evaluated[0].columns) });
    });
    return undefined;
  });
  onProgress?.({ done: total, total, note: 'readouts compared' });
  return {
    network: network.description.name,
    weightBits: network.weightBits,
    tileRows,
    vectors,
    pictures: pictures.count,
    seed,
    rows: lines.map((line, i) => summary(line, measured[i], network.pruning?.dacBits ?? 1)),
  };
}

/** A network whose layers have been set up for a readout: by layer and channel group. */
export type PreparedReadout = ReadonlyMap<string, readonly ReturnType<ReadoutLine['prepare']>[]>;

/** Sets a readout up on calibration pictures, layer by layer, on the inputs of the exact network. */
export function prepareReadout(
  line: ReadoutLine,
  options: Omit<ReadoutStudyOptions, 'lines'>,
): PreparedReadout {
  const { network, pictures, calibration = 64, seed = 1 } = options;
  const tileRows = tileRowsOf(network, options.tileRows);
  const prepared = new Map<string, ReturnType<ReadoutLine['prepare']>[]>();
  observeLayers(network, pictures, (node, inputCodes) => {
    const layer = network.layers.get(node.name)!;
    const all = layerVectors(node, layer, inputCodes);
    const sample = drawSamples(all, { vectors: 1, calibration, seed }, node.name);
    const inputs = crossbarInputs(network, node, sample.calibration, tileRows);
    prepared.set(
      node.name,
      inputs.map((input, group) => line.prepare(input, layerSeed(seed, node.name, group))),
    );
    return undefined;
  });
  return prepared;
}

/** Classifies with every layer read out as prepared: each sees what the ones before it got wrong. */
export function readoutInference(
  network: IntegerNetwork,
  prepared: PreparedReadout,
  tileRows?: number,
): Inference {
  const rows = tileRowsOf(network, tileRows);
  return createIntegerInference(network, {
    onLayer: (node, inputCodes) => {
      const vectors = layerVectors(node, network.layers.get(node.name)!, inputCodes);
      return outputTensor(node, inputCodes.shape, readOut(network, node, vectors, prepared, rows));
    },
  });
}

/** Accuracy of a readout on the first `limit` pictures of a set; ranges are chosen on `pictures`. */
export function readoutAccuracy(
  line: ReadoutLine,
  set: PictureSet,
  options: Omit<ReadoutStudyOptions, 'lines'> & { readonly limit: number },
): Accuracy {
  const { network, limit, onProgress } = options;
  const inference = readoutInference(network, prepareReadout(line, options), options.tileRows);
  return measureAccuracy(inference, network.description.classes, set, { limit, batchSize: 2, onProgress });
}

function readOut(
  network: IntegerNetwork,
  node: ConvNode | DenseNode,
  vectors: LayerVectors,
  prepared: PreparedReadout,
  tileRows: number,
): { readonly outputs: Float64Array } {
  const inputs = crossbarInputs(network, node, vectors, tileRows);
  const runs = prepared.get(node.name)!;
  const outputs = joined(
    inputs.map((input, group) => runs[group](input).outputs),
    inputs[0].columns,
  );
  return { outputs };
}

function tileRowsOf({ pruning }: IntegerNetwork, asked: number | undefined): number {
  return asked ?? pruning?.tileRows ?? 128;
}

/** The largest of the record's ADC bits. */
function adcBitsOfRecord({ pruning }: IntegerNetwork): number {
  if (!pruning) throw new InputError('lines: an unpruned network has no ADC bits of its own; give the lines');
  return largestAdcBits(pruning.adcBits);
}

/** Each layer and group has cells, offsets and mismatch of its own. */
function layerSeed(seed: number, layer: string, group: number): number {
  return randomStream(seed, `readout of ${layer}, group ${group}`).integer(2 ** 31);
}

/** Vectors to measure on, and others to calibrate on: a fifth of them where there are too few for both. */
function drawSamples(
  { inputs, vectors }: LayerVectors,
  asked: { readonly vectors: number; readonly calibration: number; readonly seed: number },
  name: string,
): { evaluated: LayerVectors; calibration: LayerVectors } {
  const width = inputs.length / vectors;
  if (vectors < 2)
    throw new InputError(`pictures: ${name} has ${vectors} input vector; give at least 2 pictures`);
  const spare = Math.max(1, vectors - asked.vectors, Math.floor(vectors / 5));
  const calibration = Math.min(asked.calibration, spare);
  const evaluated = Math.min(asked.vectors, vectors - calibration);
  const order = randomStream(asked.seed, `readout vectors of ${name}`).permutation(vectors);
  const pick = (from: number, count: number) => {
    const picked = inputs.slice(0, count * width);
    for (let i = 0; i < count; i++) {
      picked.set(inputs.subarray(order[from + i] * width, (order[from + i] + 1) * width), i * width);
    }
    return { inputs: picked, vectors: count };
  };
  return { evaluated: pick(0, evaluated), calibration: pick(evaluated, calibration) };
}

/** Outputs of the channel groups, [vectors, width] each, side by side. */
function joined(groups: readonly ArrayLike<number>[], width: number): Float64Array {
  const columns = width * groups.length;
  const all = new Float64Array(groups.length * groups[0].length);
  groups.forEach((outputs, group) => {
    for (let i = 0; i < outputs.length; i++) {
      all[Math.floor(i / width) * columns + group * width + (i % width)] = outputs[i];
    }
  });
  return all;
}

function compare(
  { scales, columns }: IntegerLayer,
  exact: Float64Array,
  results: readonly LineResult[],
  width: number,
): Omit<LayerReadout, 'layer'> {
  const outputs = joined(
    results.map((result) => result.outputs),
    width,
  );
  let [error, square] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    const scale = scales[i % columns] ** 2;
    error += scale * (outputs[i] - exact[i]) ** 2;
    square += scale * exact[i] ** 2;
  }
  const sum = (count: (result: LineResult) => number) =>
    results.reduce((all, result) => all + count(result), 0);
  const counted = results.every((result) => result.codeErrors !== undefined);
  return {
    outputs: exact.length,
    relativeError: square === 0 ? 0 : Math.sqrt(error / square),
    conversions: sum((result) => result.conversions),
    clipped: sum((result) => result.clipped),
    comparators: sum((result) => result.comparators),
    codeErrors: counted ? sum((result) => result.codeErrors!) : undefined,
  };
}

function summary(
  { name, scheme, adcBits, dacBits }: ReadoutLine,
  layers: readonly LayerReadout[],
  networkDacBits: number,
): ReadoutRow {
  const sum = (count: (layer: LayerReadout) => number) =>
    layers.reduce((all, layer) => all + count(layer), 0);
  const worst = layers.reduce((a, b) => (b.relativeError > a.relativeError ? b : a));
  const outputs = sum((layer) => layer.outputs);
  const conversions = Math.max(
    1,
    sum((layer) => layer.conversions),
  );
  const counted = layers.every((layer) => layer.codeErrors !== undefined);
  return {
    name,
    scheme,
    adcBits,
    dacBits: dacBits ?? networkDacBits,
    relativeError: sum((layer) => layer.relativeError) / layers.length,
    worstLayer: worst.layer,
    worstError: worst.relativeError,
    conversionsPerOutput: conversions / outputs,
    comparatorsPerOutput: sum((layer) => layer.comparators) / outputs,
    clipRate: sum((layer) => layer.clipped) / conversions,
    codeErrorRate: counted ? sum((layer) => layer.codeErrors!) / conversions : undefined,
    layers,
  };
}
