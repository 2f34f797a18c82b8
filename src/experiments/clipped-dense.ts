import type { Adc } from '../crossbar/adc';
import { columnLoads } from '../crossbar/column-loads';
import { createCrossbarInference } from '../crossbar/crossbar-inference';
import { type MappedLayer, mapLayer, withAdc } from '../crossbar/layer-job';
import { createLayerSimulator } from '../crossbar/layer-simulator';
import { inputCodesOf, networkLayer, outputTensor, simulateCodes } from '../crossbar/network-layer';
import type { PictureSet } from '../data/dataset';
import type { Inference, Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork } from '../quantization/integer-network';
import { randomStream } from '../tensor/random';
import { type Accuracy, measureAccuracy } from '../training/evaluate';
import { type LayerVectors, layerVectors } from './layer-vectors';
import { observeLayers } from './observe-layers';

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
  // A layer is asked for its ADCs when its first inputs are there.
  observeLayers(network, pictures, (node, inputCodes) => {
    onProgress?.({ done: adcs.size, total, note: `${node.name}: ADC range` });
    const layer = network.layers.get(node.name)!;
    const mapped = mapLayer(networkLayer(node, layer, network, { tileRows, adc: 'lossless' }));
    const all = layerVectors(node, layer, inputCodes);
    const some = drawVectors(all, mapped.inputRows, vectors, seed, node.name);
    const adc = chooseAdc(mapped, layer.scales, some, settings.adcBits);
    adcs.set(node.name, adc);
    const simulator = createLayerSimulator(withAdc(mapped, { bits: adc.adcBits, step: adc.step }));
    const { shape } = inputCodes;
    const result = simulateCodes(simulator, node, inputCodesOf(inputCodes, layer.inputSigned), shape);
    return outputTensor(node, shape, result, adc.correction);
  });
  return adcs;
}

/** Classifies with every conversion of every layer made by the bit-serial crossbar and the given ADCs. */
export function clippedInference(
  network: IntegerNetwork,
  adcs: ReadonlyMap<string, ClippedAdc>,
  tileRows: number,
): Inference {
  return createCrossbarInference(network, {
    tileRows,
    adc: (name) => {
      const { adcBits: bits, step } = adcs.get(name)!;
      return { bits, step };
    },
    correction: (name) => adcs.get(name)!.correction,
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
  return measureAccuracy(inference, network.description.classes, set, { limit, batchSize: 50, onProgress });
}

/** Tries every whole step up to the one at which nothing clips. */
function chooseAdc(
  layer: MappedLayer,
  scales: Float32Array,
  { inputs, vectors }: LayerVectors,
  adcBits: number,
): ClippedAdc {
  const outputs = (adc: Adc) => createLayerSimulator(withAdc(layer, adc)).run(inputs, vectors).outputs;
  const exact = outputs('lossless');
  const { largest } = columnLoads(layer);
  let best: ClippedAdc | undefined;
  for (let step = 1; step <= Math.max(1, Math.ceil(largest / (2 ** adcBits - 1))); step++) {
    const { correction, relativeError } = compare(scales, exact, outputs({ bits: adcBits, step }));
    if (!best || relativeError < best.relativeError) best = { adcBits, step, correction, relativeError };
  }
  return best!;
}

/** Mean difference of each channel, and what error remains without it, channels weighted by their scales. */
function compare(scales: Float32Array, exact: ArrayLike<number>, got: ArrayLike<number>) {
  const columns = scales.length;
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
