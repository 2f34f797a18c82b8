import { InputError } from '../errors';
import type { ConvNode, DenseNode, NetworkDescription, Parameters } from '../networks/description';
import type { Pictures } from '../networks/inference';
import { inputsOf, nodeShapes } from '../networks/node-shapes';
import type { OnProgress } from '../progress';
import { weightMatrix } from '../quantization/build-integer-network';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { randomStream } from '../tensor/random';
import { type AdmmIteration, layerAdmm } from './layer-admm';
import { positionsIn, randomPositions, sampleOutputs, samplePatches } from './patch-samples';
import { type RectifiedSamples, rectifiedMoments } from './rectified-targets';
import { createMomentAccumulator, type SecondMoments } from './second-moments';
import { createStageTimer, type StageSeconds, type StageTimer } from './stage-timer';
import { createTwinFlow, type TwinFlow } from './twin-flow';

export interface PostTrainingSettings {
  /** Resolution the pruned network's ADCs need: k_b = 2^adcBits - 1 ones a bit column. */
  readonly adcBits: number;
  /** R: rows summed in one conversion. */
  readonly tileRows: number;
  /** k_v: nonzeros allowed in a (row tile, output channel); absent: no limit. */
  readonly valueLimit?: number;
  /** ADMM iterations a layer at most. */
  readonly iterations?: number;
  /** Input patches a layer from which its Hessian is measured. */
  readonly patches?: number;
  readonly seed?: number;
  /** Added to each Hessian's diagonal, relative to its mean; default 0.01. */
  readonly ridge?: number;
  /**
   * Whether the layer that ends a residual branch aims at the float network's sum, and so makes good what the other
   * branch lacks; default true.
   */
  readonly compensation?: boolean;
  /** Whether layers before a ReLU are fitted to what shows behind it; default true. */
  readonly rectification?: boolean;
  /**
   * How far the scales move from least squares (0) to the float network's output variances (1), as re-estimating a
   * folded batch norm would set them; default 0.5. Means are kept in any case.
   */
  readonly varianceMatching?: number;
  /** Calibration pictures computed at once; changes memory and speed, not the result. */
  readonly batchSize?: number;
}

/** What works well for CIFAR networks: more of each lowers the error a little and costs time in proportion. */
export const postTrainingDefaults = { iterations: 25, patches: 24576, varianceMatching: 0.5 } as const;

/** Calibration pictures by default: 1024 of 32 x 32, fewer of larger ones for the memory's sake, but 128 if there are. */
export function defaultCalibration({ count, height, width }: Omit<Pictures, 'pixels'>): number {
  return Math.min(count, Math.max(128, Math.min(1024, Math.floor(2 ** 20 / (height * width)))));
}

export interface LayerOutcome {
  readonly name: string;
  /** Output error before any ReLU over output variance on the calibration pictures, with what layers above lost. */
  readonly relativeError: number;
  readonly nonzeroShare: number;
  readonly iterations: readonly AdmmIteration[];
  readonly seconds: StageSeconds;
}

export interface PostTrainingResult {
  readonly network: IntegerNetwork;
  readonly layers: readonly LayerOutcome[];
}

/** The float network that the pruned one should reproduce, batch norm folded. */
export interface ReferenceNetwork {
  readonly description: NetworkDescription;
  readonly parameters: Parameters;
}

/**
 * Hierarchical pruning after training, without labels: layer by layer in network order, each calibrated on what the
 * already compressed layers give it. One pass serves both networks: their activations go down side by side, and a
 * layer is pruned when its inputs have arrived.
 * @param network the unpruned integer network; its activation scales are kept
 * @throws InputError for settings out of range or fewer than 16 calibration pictures
 */
export function prunePostTraining(
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  calibration: Pictures,
  settings: PostTrainingSettings,
  onProgress?: OnProgress,
): PostTrainingResult {
  validate(settings, calibration);
  const { description } = network;
  const total = crossbarNodes(description).length;
  const layers = new Map<string, IntegerLayer>();
  const outcomes: LayerOutcome[] = [];
  const shapes = nodeShapes(description, calibration);
  const flow = createTwinFlow(network, reference.parameters, calibration, shapes, settings.batchSize);
  try {
    description.nodes.forEach((node, index) => {
      const timer = createStageTimer();
      timer.time('inference', () => flow.runReference(node, index));
      if (node.op !== 'conv' && node.op !== 'dense') {
        flow.runCompressed(node, index);
        return;
      }
      onProgress?.({ done: outcomes.length, total, note: node.name });
      const measured = timer.time('moments', () =>
        measure(node, network, flow, [calibration.count, ...shapes.get(node.input)!], settings),
      );
      const { layer, outcome } = pruneLayer(node, network, reference, measured, settings, timer);
      layers.set(node.name, layer);
      timer.time('inference', () => flow.runCompressed(node, index, layer));
      outcomes.push({ ...outcome, seconds: timer.seconds() });
    });
  } finally {
    flow.dispose();
  }
  onProgress?.({ done: total, total, note: 'pruned' });
  const limit = 2 ** settings.adcBits - 1;
  const names = [...layers.keys()];
  return {
    layers: outcomes,
    network: {
      ...network,
      layers,
      pruning: {
        method: 'hierarchical, layer ADMM',
        tileRows: settings.tileRows,
        encoding: 'sign-split',
        adcBits: settings.adcBits,
        bitLimit: Object.fromEntries(names.map((name) => [name, limit])),
        ...(settings.valueLimit !== undefined && {
          valueLimit: Object.fromEntries(names.map((name) => [name, settings.valueLimit!])),
        }),
      },
    },
  };
}

const RANGES = {
  adcBits: [1, 8],
  tileRows: [1, 65535],
  valueLimit: [1, 65535],
  iterations: [1, 1e6],
  patches: [1, 1e9],
  batchSize: [1, 1e9],
} as const;

function validate(settings: PostTrainingSettings, calibration: Pictures): void {
  const { pixels, count, height, width, channels } = calibration;
  for (const [field, [least, most]] of Object.entries(RANGES)) {
    const value = settings[field as keyof typeof RANGES];
    if (value !== undefined && (!Number.isInteger(value) || value < least || value > most))
      throw new InputError(`${field} ${value} is not a whole number from ${least} to ${most}`);
  }
  for (const field of ['ridge', 'varianceMatching'] as const) {
    const value = settings[field];
    if (value !== undefined && !(value >= 0 && value <= 1))
      throw new InputError(`${field} ${value} is not a number from 0 to 1`);
  }
  if (count < 16) throw new InputError(`${count} calibration pictures are too few; at least 16 are needed`);
  if (pixels.length !== count * height * width * channels)
    throw new InputError(
      `calibration pictures: ${pixels.length} bytes are not ${count} pictures of ${height} x ${width} x ${channels}`,
    );
}

/** Whether a ReLU alone reads the layer's output, or the sum it goes into. */
function isRectified(name: string, description: NetworkDescription, summed: boolean): boolean {
  const readers = description.nodes.filter((reader) => inputsOf(reader).includes(name));
  const [reader] = readers;
  if (readers.length !== 1) return false;
  return (
    reader.op === 'relu' || (summed && reader.op === 'add' && isRectified(reader.name, description, false))
  );
}

/** The other input of the addition that alone reads `node`, where it is computed before `node`. */
function residualPartner(node: ConvNode | DenseNode, { nodes }: NetworkDescription): string | undefined {
  const readers = nodes.filter((reader) => inputsOf(reader).includes(node.name));
  const [reader] = readers;
  if (readers.length !== 1 || reader.op !== 'add') return undefined;
  const other = reader.inputs.find((name) => name !== node.name);
  const before = nodes.slice(
    0,
    nodes.findIndex(({ name }) => name === node.name),
  );
  return before.some(({ name }) => name === other) ? other : undefined;
}

/**
 * Moments of the layer's real-valued input patches (the picture counts as pixels less their mean) and of the outputs
 * that it should have: those of the float network, plus what the other branch of a residual block lacks.
 */
function measure(
  node: ConvNode | DenseNode,
  network: IntegerNetwork,
  flow: TwinFlow,
  inputShape: readonly number[],
  settings: PostTrainingSettings,
): { moments: SecondMoments; samples: RectifiedSamples | undefined } {
  const {
    patches = postTrainingDefaults.patches,
    seed = 1,
    compensation = true,
    rectification = true,
  } = settings;
  const { inputScale, rows, columns } = network.layers.get(node.name)!;
  const partner = compensation ? residualPartner(node, network.description) : undefined;
  const places = randomPositions(node, inputShape, patches, randomStream(seed, `patches of ${node.name}`));
  const values =
    node.input === 'input'
      ? { scale: 1, offsets: network.mean.map((mean) => -255 * mean) }
      : { scale: inputScale };
  const accumulator = createMomentAccumulator(rows, columns);
  const rectified = rectification && isRectified(node.name, network.description, partner !== undefined);
  const all = rectified && {
    count: places.count,
    inputs: new Float32Array(places.count * rows),
    targets: new Float32Array(places.count * columns),
    beside: partner === undefined ? undefined : new Float32Array(places.count * columns),
  };
  let done = 0;
  try {
    for (const { first, count, codes, reference, compressed } of flow.batches()) {
      const own = positionsIn(places, first, count);
      scope(() => {
        const input = codes(node.input);
        const output = reference(node.name);
        const other = partner === undefined ? undefined : compressed(partner);
        const wanted = other ? k.add(output, k.subtract(reference(partner!), other)) : output;
        const inputs = samplePatches(node, k.floats(input), input.shape, own, values);
        const targets = sampleOutputs(k.floats(wanted), wanted.shape, own);
        accumulator.add({ inputs, targets, count: own.count });
        if (!all) return undefined;
        all.inputs.set(inputs, done * rows);
        all.targets.set(targets, done * columns);
        if (other) all.beside!.set(sampleOutputs(k.floats(other), other.shape, own), done * columns);
        return undefined;
      });
      done += own.count;
    }
    return { moments: accumulator.finish(), samples: all || undefined };
  } finally {
    accumulator.dispose();
  }
}

function pruneLayer(
  node: ConvNode | DenseNode,
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  { moments, samples }: ReturnType<typeof measure>,
  settings: PostTrainingSettings,
  timer: StageTimer,
): { layer: IntegerLayer; outcome: Omit<LayerOutcome, 'seconds'> } {
  const layer = network.layers.get(node.name)!;
  let final = moments;
  const retarget = (codes: Int8Array, scales: Float32Array) => {
    const { bias } = correctOutputs(final, codes, scales, 0);
    final = timer.time('moments', () => rectifiedMoments(moments, samples!, codes, scales, bias));
    return final;
  };
  const { codes, scales, relativeError, iterations } = layerAdmm({
    name: node.name,
    weights: weightMatrix(node, reference.parameters, network),
    moments,
    tileRows: settings.tileRows,
    weightBits: network.weightBits,
    bitLimit: 2 ** settings.adcBits - 1,
    valueLimit: settings.valueLimit,
    iterations: settings.iterations ?? postTrainingDefaults.iterations,
    ridge: settings.ridge,
    retarget: samples && retarget,
    timer,
  });
  const nonzero = codes.reduce((sum, code) => sum + (code === 0 ? 0 : 1), 0);
  const corrected = correctOutputs(
    final,
    codes,
    scales,
    settings.varianceMatching ?? postTrainingDefaults.varianceMatching,
  );
  return {
    layer: { ...layer, codes, ...corrected },
    outcome: {
      name: node.name,
      relativeError,
      nonzeroShare: nonzero / codes.length,
      iterations,
    },
  };
}

/**
 * Bias, and scales, that keep each channel's mean output on the calibration pictures and, as far as `matching` (0 to 1)
 * says, its variance: what re-estimating a batch norm does for a network that still has one.
 */
function correctOutputs(
  { rows, columns, hessian, mean, targetMean, targetVariance }: SecondMoments,
  codes: Int8Array,
  fitted: Float32Array,
  matching: number,
): { scales: Float32Array; bias: Float32Array } {
  const scales = fitted.slice();
  if (matching > 0) {
    const variance = codeVariances(hessian, codes, rows, columns);
    for (let n = 0; n < columns; n++) {
      const ratio = targetVariance[n] / (variance[n] * scales[n] ** 2);
      if (ratio > 0 && Number.isFinite(ratio)) scales[n] *= ratio ** (matching / 2);
    }
  }
  const bias = targetMean.slice();
  for (let n = 0; n < columns; n++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += mean[row] * codes[row * columns + n];
    bias[n] -= sum * scales[n];
  }
  return { scales, bias };
}

/** v' H v of each column. */
function codeVariances(hessian: Float32Array, codes: Int8Array, rows: number, columns: number): Float64Array {
  const values = Float32Array.from(codes);
  const curved = scope(() =>
    k.floats(k.matMul(upload(hessian, [rows, rows]), upload(values, [rows, columns]))),
  );
  const variances = new Float64Array(columns);
  for (let at = 0; at < values.length; at++) variances[at % columns] += values[at] * curved[at];
  return variances;
}
