import { InputError } from '../errors';
import type { ConvNode, DenseNode, NetworkDescription, Parameters } from '../networks/description';
import type { Pictures } from '../networks/inference';
import { inputsOf, nodeShapes } from '../networks/node-shapes';
import type { OnProgress } from '../progress';
import type { BitMask } from '../projections/bit-mask';
import { isPlainSignSplit } from '../projections/limits';
import { weightMatrix } from '../quantization/build-integer-network';
import { groupColumns, groupCount, groupRows, joinColumns } from '../quantization/channel-groups';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { permuteRows, restoreRows } from '../quantization/row-order';
import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { randomStream } from '../tensor/random';
import { balancedRowOrder } from './balanced-row-order';
import {
  type AdmmIteration,
  type LayerAdmmProblem,
  type LayerAdmmResult,
  layerAdmm,
  relativeError,
} from './layer-admm';
import { type BudgetSettings, type LayerBudget, layerBudget } from './layer-budget';
import { positionsIn, randomPositions, sampleOutputs, samplePatches } from './patch-samples';
import { projectWeights } from './project-weights';
import {
  allowedBits,
  type Compensation,
  compensations,
  type PruningMethod,
  pruningMethods,
} from './pruning-method';
import { type RectifiedSamples, rectifiedMoments } from './rectified-targets';
import { createMomentAccumulator, momentsOf, type SecondMoments } from './second-moments';
import { createStageTimer, type StageSeconds, type StageTimer } from './stage-timer';
import { createTwinFlow, type TwinFlow } from './twin-flow';

export interface PostTrainingSettings extends BudgetSettings {
  /** R: rows summed in one conversion. */
  readonly tileRows: number;
  /** Default `lagrangian`: hierarchical. */
  readonly method?: PruningMethod;
  /** Default `layer-admm`. */
  readonly compensation?: Compensation;
  /**
   * Whether rows are dealt to tiles so that each tile gets its share of the large weights, where that lowers the error of
   * the projection; default false. Bits chosen beforehand (`bit-only`, `magnitude`) keep the natural order.
   */
  readonly balancedRows?: boolean;
  /** States that method `exact` may hold at once for a column: its time and how often it ends with a proof. */
  readonly searchLimit?: number;
  /** ADMM iterations a layer at most. */
  readonly iterations?: number;
  /** Input patches a layer from which its Hessian is measured. */
  readonly patches?: number;
  readonly seed?: number;
  /** Added to each Hessian's diagonal, relative to its mean; default 0.01. */
  readonly ridge?: number;
  /**
   * Whether the layer that ends a residual branch aims at the float network's sum, and so makes good what the other
   * branch lacks; default true. Layer ADMM only.
   */
  readonly residualCompensation?: boolean;
  /** Whether layers before a ReLU are fitted to what shows behind it; default true. Layer ADMM only, not where grouped. */
  readonly rectification?: boolean;
  /**
   * How far the scales move from least squares (0) to the float network's output variances (1), as re-estimating a
   * folded batch norm would set them; default 0.5. Means are kept in any case. Layer ADMM only.
   */
  readonly varianceMatching?: number;
  /** Calibration pictures computed at once; changes memory and speed, not the result. */
  readonly batchSize?: number;
}

/** What works well for CIFAR networks: more of each lowers the error a little and costs time in proportion. */
export const postTrainingDefaults = {
  iterations: 25,
  patches: 24576,
  varianceMatching: 0.5,
  searchLimit: 100,
} as const;

/** Calibration pictures by default: 1024 of 32 x 32, fewer of larger ones for the memory's sake, but 128 if there are. */
export function defaultCalibration({ count, height, width }: Omit<Pictures, 'pixels'>): number {
  return Math.min(count, Math.max(128, Math.min(1024, Math.floor(2 ** 20 / (height * width)))));
}

export interface LayerOutcome {
  readonly name: string;
  /**
   * Output error before any ReLU over output variance on the calibration pictures, with what layers above lost; of a
   * grouped convolution the mean over its groups.
   */
  readonly relativeError: number;
  readonly nonzeroShare: number;
  /** Of ADMM; empty without it. */
  readonly iterations: readonly AdmmIteration[];
  /** Certified gap of each column of the (last) projection, where the method has one. */
  readonly gaps?: Float64Array;
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
 * Pruning after training, without labels, hierarchical unless another method is chosen: layer by layer in network order,
 * each calibrated on what the already compressed layers give it. Both networks' activations go down side by side, and a
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
  const budgets = layerBudgets(network, settings);
  const masks = masksOf(network, settings, budgets);
  const outcomes: LayerOutcome[] = [];
  const layers = throughLayers(network, reference, calibration, settings.batchSize, onProgress, (step) => {
    const { node, timer } = step;
    const measured = timer.time('moments', () => measureLayer(step, network, settings));
    const chosen = { budget: budgets.get(node.name)!, allowed: masks.get(node.name) };
    const { layer, outcome } = pruneLayer(step, network, reference, measured, settings, chosen);
    outcomes.push(outcome);
    return layer;
  });
  const { method = 'lagrangian', compensation = 'layer-admm', tileRows, adcBits, valueLimit } = settings;
  const { encoding = 'sign-split', cellBits, dacBits } = settings;
  const names = [...layers.keys()];
  return {
    layers: outcomes,
    network: {
      ...network,
      layers,
      pruning: {
        method: methodText(method, compensation),
        tileRows,
        encoding,
        ...(cellBits !== undefined && { cellBits }),
        ...(dacBits !== undefined && { dacBits }),
        adcBits,
        bitLimit: Object.fromEntries(names.map((name) => [name, budgets.get(name)!.bitLimit])),
        ...(valueLimit !== undefined && {
          valueLimit: Object.fromEntries(names.map((name) => [name, valueLimit])),
        }),
      },
    },
  };
}

function methodText(method: PruningMethod, compensation: Compensation): string {
  const set = method === 'lagrangian' ? 'hierarchical' : method;
  return compensation === 'none' ? set : `${set}, layer ADMM`;
}

/** Limits of every layer, by name. @throws InputError for budgets out of range */
export function layerBudgets(
  { layers, weightBits }: IntegerNetwork,
  settings: BudgetSettings,
): Map<string, LayerBudget> {
  return new Map([...layers.keys()].map((name) => [name, layerBudget(settings, name, weightBits)]));
}

/** The bits that methods which choose them beforehand leave each layer. */
export function masksOf(
  network: IntegerNetwork,
  { method = 'lagrangian', tileRows, ...coding }: Omit<PostTrainingSettings, 'adcBits'>,
  budgets: ReadonlyMap<string, LayerBudget>,
): Map<string, BitMask> {
  if (method !== 'bit-only' && method !== 'magnitude') return new Map();
  const limits = [...budgets.values()].map(({ bitLimit }) => bitLimit);
  if (!isPlainSignSplit(coding) || limits.some((limit) => typeof limit !== 'number'))
    throw new InputError(
      `method ${method}: for sign-split in 1-bit cells with one limit for all planes only`,
    );
  return allowedBits(method, network, tileRows, (name) => budgets.get(name)!.bitLimit as number);
}

/** A crossbar layer whose turn has come. */
export interface LayerStep {
  readonly node: ConvNode | DenseNode;
  readonly flow: TwinFlow;
  /** [pictures, height, width, channels] of its input. */
  readonly inputShape: readonly number[];
  readonly timer: StageTimer;
}

/** What the layers compute is left to `replace`, called for each in network order when its inputs have arrived. */
export function throughLayers(
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  calibration: Pictures,
  batchSize: number | undefined,
  onProgress: OnProgress | undefined,
  replace: (step: LayerStep) => IntegerLayer,
): Map<string, IntegerLayer> {
  const { description } = network;
  const total = crossbarNodes(description).length;
  const layers = new Map<string, IntegerLayer>();
  const shapes = nodeShapes(description, calibration);
  const flow = createTwinFlow(network, reference.parameters, calibration, shapes, batchSize);
  try {
    description.nodes.forEach((node, index) => {
      const timer = createStageTimer();
      timer.time('inference', () => flow.runReference(node, index));
      if (node.op !== 'conv' && node.op !== 'dense') {
        flow.runCompressed(node, index);
        return;
      }
      onProgress?.({ done: layers.size, total, note: node.name });
      const inputShape = [calibration.count, ...shapes.get(node.input)!];
      const layer = replace({ node, flow, inputShape, timer });
      layers.set(node.name, layer);
      timer.time('inference', () => flow.runCompressed(node, index, layer));
    });
  } finally {
    flow.dispose();
  }
  onProgress?.({ done: total, total, note: 'pruned' });
  return layers;
}

const RANGES = {
  tileRows: [1, 65535],
  searchLimit: [1, 1e9],
  valueLimit: [1, 65535],
  iterations: [1, 1e6],
  patches: [1, 1e9],
  batchSize: [1, 1e9],
} as const;

function validate(settings: PostTrainingSettings, calibration: Pictures): void {
  const { method = 'lagrangian', compensation = 'layer-admm' } = settings;
  const { pixels, count, height, width, channels } = calibration;
  for (const [field, value, allowed] of [
    ['method', method, pruningMethods],
    ['compensation', compensation, compensations],
  ] as const)
    if (!(allowed as readonly string[]).includes(value))
      throw new InputError(`${field} "${value}" is unknown; one of ${allowed.join(', ')} is needed`);
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

/** Moments of the layer's inputs and wanted outputs, and the samples where a ReLU reads the outputs. */
export interface MeasuredLayer {
  readonly moments: SecondMoments;
  readonly samples: RectifiedSamples | undefined;
}

/**
 * Moments of the layer's real-valued input patches (the picture counts as pixels less their mean) and of the outputs
 * that it should have: those of the float network, plus what the other branch of a residual block lacks.
 */
export function measureLayer(
  { node, flow, inputShape }: LayerStep,
  network: IntegerNetwork,
  settings: Omit<PostTrainingSettings, 'adcBits'>,
): MeasuredLayer {
  const {
    patches = postTrainingDefaults.patches,
    seed = 1,
    compensation = 'layer-admm',
    residualCompensation = true,
    rectification = true,
  } = settings;
  const fitted = compensation === 'layer-admm';
  const { inputScale, columns } = network.layers.get(node.name)!;
  const groups = groupCount(node);
  const rows = network.layers.get(node.name)!.rows * groups;
  const partner = fitted && residualCompensation ? residualPartner(node, network.description) : undefined;
  const places = randomPositions(node, inputShape, patches, randomStream(seed, `patches of ${node.name}`));
  const values =
    node.input === 'input'
      ? { scale: 1, offsets: network.mean.map((mean) => -255 * mean) }
      : { scale: inputScale };
  const accumulator = createMomentAccumulator(rows, columns);
  const rectified =
    fitted &&
    rectification &&
    groups === 1 &&
    isRectified(node.name, network.description, partner !== undefined);
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

/** What a layer's codes must keep. */
export interface ChosenLimits {
  readonly budget: LayerBudget;
  /** The bits it may use, if they are chosen already. */
  readonly allowed?: BitMask;
}

/** One layer pruned, given the moments of its inputs. */
export function pruneLayer(
  { node, timer }: LayerStep,
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  { moments, samples }: MeasuredLayer,
  settings: Omit<PostTrainingSettings, 'adcBits'>,
  { budget, allowed }: ChosenLimits,
): { layer: IntegerLayer; outcome: LayerOutcome } {
  const { method = 'lagrangian', tileRows, balancedRows = false } = settings;
  const layer = network.layers.get(node.name)!;
  const { columns, rows } = layer;
  const weights = weightMatrix(node, reference.parameters, network);
  const groups = groupCount(node);
  const shape = { rows, columns, tileRows, weightBits: network.weightBits, ...budget };
  const rowOrder = balancedRows && !allowed ? balancedRowOrder({ ...shape, weights }) : undefined;
  // Groups share neither inputs nor columns, so each is a layer of its own.
  const parts = Array.from({ length: groups }, (_, group) => {
    const width = columns / groups;
    const inGroup = groupRows(node, group);
    const placed = rowOrder ? rowOrder.map((row) => inGroup[row]) : inGroup;
    const own = permuteRows(groupColumns(weights, columns, groups, group), width, rowOrder);
    let final = momentsOf(moments, placed, groups, group);
    const retarget = (codes: Int8Array, scales: Float32Array) => {
      const { bias } = correctOutputs(final, codes, scales, 0);
      const natural = restoreRows(codes, width, rowOrder);
      final = timer.time('moments', () => {
        const { cross, ...rest } = rectifiedMoments(moments, samples!, natural, scales, bias);
        const ordered = permuteRows(cross, width, rowOrder);
        return { ...rest, hessian: final.hessian, mean: final.mean, cross: ordered };
      });
      return final;
    };
    const problem: LayerAdmmProblem = {
      name: node.name,
      weights: own,
      moments: final,
      tileRows,
      weightBits: network.weightBits,
      ...budget,
      iterations: settings.iterations ?? postTrainingDefaults.iterations,
      projection: method === 'bit-only' || method === 'magnitude' ? undefined : method,
      searchLimit: settings.searchLimit ?? postTrainingDefaults.searchLimit,
      allowed,
      scales: allowed && layer.scales,
      ridge: settings.ridge,
      retarget: samples && retarget,
      timer,
    };
    const plain = settings.compensation === 'none';
    const pruned = plain ? projected(problem) : layerAdmm(problem);
    // Scales that must stay are not moved either.
    const matching =
      plain || allowed ? 0 : (settings.varianceMatching ?? postTrainingDefaults.varianceMatching);
    const corrected = correctOutputs(final, pruned.codes, pruned.scales, matching);
    return { ...pruned, ...corrected, codes: restoreRows(pruned.codes, width, rowOrder) };
  });
  const codes = joinColumns(
    parts.map((part) => part.codes),
    rows,
  );
  const flips = parts.flatMap((part) => part.flips ?? []);
  const vector = (field: 'scales' | 'bias') =>
    joinColumns(
      parts.map((part) => part[field]),
      1,
    );
  const nonzero = codes.reduce((sum, code) => sum + (code === 0 ? 0 : 1), 0);
  return {
    layer: {
      ...layer,
      codes,
      ...(rowOrder && { rowOrder }),
      ...(flips.length > 0 && { flips: joinColumns(flips, Math.ceil(rows / tileRows)) }),
      scales: vector('scales'),
      bias: vector('bias'),
    },
    outcome: {
      name: node.name,
      relativeError: parts.reduce((sum, part) => sum + part.relativeError, 0) / groups,
      nonzeroShare: nonzero / codes.length,
      iterations: longest(parts.map((part) => part.iterations)),
      gaps: method === 'lagrangian' || method === 'exact' ? joinGaps(parts) : undefined,
      seconds: timer.seconds(),
    },
  };
}

/** Of several groups the one that took most iterations. */
function longest(lists: readonly (readonly AdmmIteration[])[]): readonly AdmmIteration[] {
  return lists.reduce((most, list) => (list.length > most.length ? list : most));
}

function joinGaps(parts: readonly { readonly gaps?: Float64Array }[]): Float64Array {
  return Float64Array.from(parts.flatMap(({ gaps }) => [...(gaps ?? [])]));
}

/** Codes of one projection, every weight counting alike. */
function projected(problem: LayerAdmmProblem): LayerAdmmResult {
  const { moments } = problem;
  const answer = projectWeights({ ...problem, rows: moments.rows, columns: moments.columns });
  return {
    ...answer,
    relativeError: relativeError(moments, answer.codes, answer.scales),
    iterations: [],
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
