import { countOnes } from '../bitplanes/count-ones';
import { simulateLayer } from '../crossbar/simulate-layer';
import type { PictureSet } from '../data/dataset';
import type { Inference, Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { type Tensor, upload } from '../tensor/engine';
import { randomStream } from '../tensor/random';
import { type Accuracy, measureAccuracy } from '../training/evaluate';
import { type LayerVectors, layerVectors } from './layer-vectors';

/** How the ADCs of one layer are set. */
export interface ClippedAdc {
  readonly adcBits: number;
  /** Whole span of one code: the ADC reads 0 to (2^adcBits - 1) * step. */
  readonly step: number;
  /** Added digitally to each output channel so that its mean stays, in units of weight code times input code. [columns] */
  readonly correction: Float32Array;
  /** Error of the outputs over their variance on the calibration vectors. */
  readonly relativeError: number;
}

export interface ClippedSettings {
  readonly adcBits: number;
  /** R. */
  readonly tileRows: number;
  /** Input vectors a layer on which step and correction are chosen; default 256. */
  readonly vectors?: number;
  readonly seed?: number;
}

/**
 * The rival that leaves the weights alone: ADCs of too few bits, whose step (and so their range) is chosen layer by
 * layer for the least output error on the calibration pictures, each layer seeing what the clipped ones above give.
 */
export function calibrateClippedDense(
  network: IntegerNetwork,
  pictures: Pictures,
  settings: ClippedSettings,
  onProgress?: OnProgress,
): Map<string, ClippedAdc> {
  const { tileRows, seed = 1, vectors = 256 } = settings;
  const adcs = new Map<string, ClippedAdc>();
  const total = crossbarNodes(network.description).length;
  const inference = createIntegerInference(network, {
    onLayer: (node, inputCodes, sums) => {
      onProgress?.({ done: adcs.size, total, note: `${node.name}: ADC range` });
      const layer = network.layers.get(node.name)!;
      const all = layerVectors(node, layer, inputCodes);
      const some = drawVectors(all, layer.rows, vectors, seed, node.name);
      const adc = chooseAdc(layer, network.weightBits, some, settings);
      adcs.set(node.name, adc);
      return convert(layer, network.weightBits, all, adc, tileRows, sums);
    },
  });
  try {
    inference.logits(pictures);
  } finally {
    inference.dispose();
  }
  return adcs;
}

/** Classifies with every conversion of every layer made by the bit-serial crossbar and the given ADCs. */
export function clippedInference(
  network: IntegerNetwork,
  adcs: ReadonlyMap<string, ClippedAdc>,
  tileRows: number,
): Inference {
  return createIntegerInference(network, {
    onLayer: (node, inputCodes, sums) => {
      const layer = network.layers.get(node.name)!;
      const vectors = layerVectors(node, layer, inputCodes);
      return convert(layer, network.weightBits, vectors, adcs.get(node.name)!, tileRows, sums);
    },
  });
}

/** Accuracy of `clippedInference` on the first `limit` pictures of a set. */
export function clippedAccuracy(
  network: IntegerNetwork,
  adcs: ReadonlyMap<string, ClippedAdc>,
  tileRows: number,
  set: PictureSet,
  { limit, onProgress }: { readonly limit: number; readonly onProgress?: OnProgress },
): Accuracy {
  const inference = clippedInference(network, adcs, tileRows);
  return measureAccuracy(inference, network.description.classes, set, { limit, batchSize: 4, onProgress });
}

function crossbar(
  { codes, rows, columns, inputBits }: IntegerLayer,
  weightBits: number,
  { inputs, vectors }: LayerVectors,
  tileRows: number,
  adc: Pick<ClippedAdc, 'adcBits' | 'step'> | undefined,
): Int32Array {
  const layer = { codes, rows, columns, inputs, vectors, tileRows, weightBits, inputBits };
  return simulateLayer({ ...layer, adc: adc ? { bits: adc.adcBits, step: adc.step } : 'lossless' }).outputs;
}

function convert(
  layer: IntegerLayer,
  weightBits: number,
  vectors: LayerVectors,
  adc: ClippedAdc,
  tileRows: number,
  sums: Tensor,
): Tensor {
  const outputs = crossbar(layer, weightBits, vectors, tileRows, adc);
  return upload(
    Float32Array.from(outputs, (sum, i) => sum + adc.correction[i % layer.columns]),
    sums.shape,
  );
}

/** Tries every whole step up to the one at which nothing clips. */
function chooseAdc(
  layer: IntegerLayer,
  weightBits: number,
  vectors: LayerVectors,
  { adcBits, tileRows }: ClippedSettings,
): ClippedAdc {
  const { codes, rows, columns } = layer;
  const { counts } = countOnes({ codes, rows, columns, tileRows, weightBits });
  let most = 1;
  for (const count of counts) most = Math.max(most, count);
  const exact = crossbar(layer, weightBits, vectors, tileRows, undefined);
  let best: ClippedAdc | undefined;
  for (let step = 1; step <= Math.ceil(most / (2 ** adcBits - 1)); step++) {
    const got = crossbar(layer, weightBits, vectors, tileRows, { adcBits, step });
    const { correction, relativeError } = compare(layer, exact, got);
    if (!best || relativeError < best.relativeError) best = { adcBits, step, correction, relativeError };
  }
  return best!;
}

/** Mean difference of each channel, and what error remains without it, channels weighted by their scales. */
function compare({ columns, scales }: IntegerLayer, exact: Int32Array, got: Int32Array) {
  const vectors = exact.length / columns;
  const correction = new Float32Array(columns);
  let error = 0;
  let variance = 0;
  for (let n = 0; n < columns; n++) {
    let [meanGap, mean] = [0, 0];
    for (let at = n; at < exact.length; at += columns) {
      meanGap += (exact[at] - got[at]) / vectors;
      mean += exact[at] / vectors;
    }
    correction[n] = meanGap;
    for (let at = n; at < exact.length; at += columns) {
      error += ((exact[at] - got[at] - meanGap) * scales[n]) ** 2;
      variance += ((exact[at] - mean) * scales[n]) ** 2;
    }
  }
  return { correction, relativeError: error / Math.max(variance, Number.MIN_VALUE) };
}

function drawVectors(
  { inputs, vectors }: LayerVectors,
  rows: number,
  count: number,
  seed: number,
  name: string,
): LayerVectors {
  if (vectors <= count) return { inputs, vectors };
  const order = randomStream(seed, `ADC vectors of ${name}`).permutation(vectors);
  const drawn = inputs.slice(0, count * rows);
  for (let i = 0; i < count; i++)
    drawn.set(inputs.subarray(order[i] * rows, (order[i] + 1) * rows), i * rows);
  return { inputs: drawn, vectors: count };
}
