import { InputError } from '../errors';
import type { ConvNode, DenseNode, NetworkDescription, Node, Parameters } from '../networks/description';
import { type Pictures, runNode, uploadParameters } from '../networks/inference';
import { lastUses } from '../networks/last-uses';
import type { OnProgress } from '../progress';
import type { BitMask } from '../projections/bit-mask';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';
import { weightMatrix } from '../quantization/build-integer-network';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { inputCoding } from '../quantization/input-coding';
import { loadLayer } from '../quantization/integer-layer';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { DType, dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { randomStream } from '../tensor/random';
import { type LayerAdmmProblem, layerAdmm, relativeError } from './layer-admm';
import { randomPositions, samplePatches } from './patch-samples';
import { type ProjectWeightsOptions, projectWeights } from './project-weights';
import {
  allowedBits,
  type Compensation,
  compensations,
  type PruningMethod,
  pruningMethods,
} from './pruning-method';
import { type SecondMoments, secondMoments } from './second-moments';

export interface PostTrainingSettings {
  /** Resolution the pruned network's ADCs need, for all layers or by layer: k_b = 2^adcBits - 1 ones a bit column. */
  readonly adcBits: AdcBits;
  /** R: rows summed in one conversion. */
  readonly tileRows: number;
  /** k_v: nonzeros allowed in a (row tile, output channel); absent: no limit. */
  readonly valueLimit?: number;
  /** Default `lagrangian`: hierarchical. */
  readonly method?: PruningMethod;
  /** Default `layer-admm`. */
  readonly compensation?: Compensation;
  /** States that method `exact` may hold at once for a column: its time and how often it ends with a proof. */
  readonly searchLimit?: number;
  /** ADMM iterations a layer at most. */
  readonly iterations?: number;
  /** Input patches a layer from which its Hessian is measured. */
  readonly patches?: number;
  readonly seed?: number;
}

/** What works well for CIFAR networks: more of each lowers the error a little and costs time in proportion. */
export const postTrainingDefaults = {
  calibration: 384,
  iterations: 25,
  patches: 6144,
  searchLimit: 100,
} as const;

export interface LayerOutcome {
  readonly name: string;
  /** Output error over output variance on the calibration pictures. */
  readonly relativeError: number;
  readonly nonzeroShare: number;
  /** Of ADMM; empty without it. */
  readonly residuals: readonly number[];
  /** Certified gap of each column of the (last) projection, where the method has one. */
  readonly gaps?: Float64Array;
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
 * Pruning after training, without labels, hierarchical unless another method is chosen: layer by layer in network order, each calibrated on what the
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
  validate(settings, calibration, network);
  const { method = 'lagrangian', compensation = 'layer-admm', tileRows, adcBits } = settings;
  const limit = (layer: string) => 2 ** adcBitsOf(adcBits, layer) - 1;
  const masks = allowedBits(method, network, tileRows, limit);
  const outcomes: LayerOutcome[] = [];
  const layers = throughLayers(network, reference, calibration, onProgress, (node, flow) => {
    const moments = measure(node, network, flow, settings);
    const allowed = masks.get(node.name);
    const { layer, outcome } = pruneLayer(node, network, reference, moments, settings, allowed);
    outcomes.push(outcome);
    return layer;
  });
  const names = [...layers.keys()];
  return {
    layers: outcomes,
    network: {
      ...network,
      layers,
      pruning: {
        method: methodText(method, compensation),
        tileRows,
        encoding: 'sign-split',
        adcBits,
        bitLimit: Object.fromEntries(names.map((name) => [name, limit(name)])),
        ...(settings.valueLimit !== undefined && {
          valueLimit: Object.fromEntries(names.map((name) => [name, settings.valueLimit!])),
        }),
      },
    },
  };
}

function methodText(method: PruningMethod, compensation: Compensation): string {
  const set = method === 'lagrangian' ? 'hierarchical' : method;
  return compensation === 'none' ? set : `${set}, layer ADMM`;
}

/** What the layers compute is left to `replace`, called for each in network order when its inputs have arrived. */
export function throughLayers(
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  calibration: Pictures,
  onProgress: OnProgress | undefined,
  replace: (node: ConvNode | DenseNode, flow: Flow) => IntegerLayer,
): Map<string, IntegerLayer> {
  const { description } = network;
  const total = crossbarNodes(description).length;
  const lastUse = lastUses(description);
  const layers = new Map<string, IntegerLayer>();
  const referenceTensors = uploadParameters(reference.parameters);
  const flow = startFlow(network, calibration);
  try {
    description.nodes.forEach((node, index) => {
      if (node.op === 'conv' || node.op === 'dense') {
        onProgress?.({ done: layers.size, total, note: node.name });
        layers.set(node.name, replace(node, flow));
      }
      advance(node, network, layers, flow, referenceTensors);
      for (const [name, at] of lastUse) if (at === index) flow.forget(name);
    });
  } finally {
    flow.dispose();
    dispose(...referenceTensors.values());
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
} as const;

function validate(settings: PostTrainingSettings, { count }: Pictures, { layers }: IntegerNetwork): void {
  const { method = 'lagrangian', compensation = 'layer-admm' } = settings;
  if (!pruningMethods.includes(method))
    throw new InputError(`method "${method}" is unknown; one of ${pruningMethods.join(', ')} is needed`);
  if (!compensations.includes(compensation))
    throw new InputError(
      `compensation "${compensation}" is unknown; one of ${compensations.join(', ')} is needed`,
    );
  for (const name of layers.keys()) {
    const bits = adcBitsOf(settings.adcBits, name);
    const where = typeof settings.adcBits === 'number' ? '' : ` of layer '${name}'`;
    if (!Number.isInteger(bits) || bits < 1 || bits > 8)
      throw new InputError(`adcBits${where} ${bits} is not a whole number from 1 to 8`);
  }
  for (const [field, [least, most]] of Object.entries(RANGES)) {
    const value = settings[field as keyof typeof RANGES];
    if (value !== undefined && (!Number.isInteger(value) || value < least || value > most))
      throw new InputError(`${field} ${value} is not a whole number from ${least} to ${most}`);
  }
  if (count < 16) throw new InputError(`${count} calibration pictures are too few; at least 16 are needed`);
}

/** Activations of both networks by node: codes where a crossbar reads them, real values elsewhere. */
export interface Flow {
  readonly codes: Map<string, Tensor>;
  readonly compressed: Map<string, Tensor>;
  readonly reference: Map<string, Tensor>;
  forget(name: string): void;
  dispose(): void;
}

/** The picture enters both networks as pixels: less their mean for the reference, raw for the crossbar. */
function startFlow(network: IntegerNetwork, { pixels, count, height, width, channels }: Pictures): Flow {
  const codes = new Map<string, Tensor>();
  const compressed = new Map<string, Tensor>();
  const reference = new Map<string, Tensor>();
  const maps = [codes, compressed, reference];
  const [raw, normalised] = scope(() => {
    const floats = k.cast(upload(pixels, [count, height, width, channels]), DType.float32);
    const scale = Float32Array.from(network.std, (std) => 1 / (255 * std));
    const shift = Float32Array.from(network.mean, (mean, c) => -mean / network.std[c]);
    return [floats, k.add(k.multiply(floats, upload(scale, [channels])), upload(shift, [channels]))];
  });
  codes.set('input', keep(raw));
  reference.set('input', keep(normalised));
  const forget = (name: string) => {
    for (const map of maps) {
      if (map.has(name)) dispose(map.get(name)!);
      map.delete(name);
    }
  };
  return {
    codes,
    compressed,
    reference,
    forget,
    dispose: () => {
      for (const name of new Set(maps.flatMap((map) => [...map.keys()]))) forget(name);
    },
  };
}

/** Computes a node's output in both networks. */
function advance(
  node: Node,
  network: IntegerNetwork,
  layers: ReadonlyMap<string, IntegerLayer>,
  flow: Flow,
  referenceTensors: ReadonlyMap<string, Tensor>,
): void {
  const reference = scope(() => runNode(node, (name) => flow.reference.get(name)!, referenceTensors));
  flow.reference.set(node.name, keep(reference));
  const output = scope(() => {
    if (node.op !== 'conv' && node.op !== 'dense')
      return runNode(node, (name) => flow.compressed.get(name)!, new Map());
    const loaded = loadLayer(node, layers.get(node.name)!, network.mean);
    const input = flow.codes.get(node.input)!;
    const result = loaded.output(input, loaded.sums(input));
    loaded.dispose();
    return result;
  });
  const reader = crossbarNodes(network.description).find((candidate) => candidate.input === node.name);
  if (!reader) {
    flow.compressed.set(node.name, keep(output));
    return;
  }
  const coding = inputCoding(network.layers.get(reader.name)!);
  const [codes, decoded] = scope(() => {
    const encoded = coding.encode(output);
    return [encoded, coding.decode(encoded)];
  });
  dispose(output);
  coding.dispose();
  flow.codes.set(node.name, keep(codes));
  flow.compressed.set(node.name, keep(decoded));
}

/** One layer pruned, given the moments of its inputs and the bits it may use, if they are chosen already. */
export function pruneLayer(
  node: ConvNode | DenseNode,
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  moments: SecondMoments,
  settings: PostTrainingSettings,
  allowed?: BitMask,
): { layer: IntegerLayer; outcome: LayerOutcome } {
  const {
    method = 'lagrangian',
    compensation = 'layer-admm',
    iterations = postTrainingDefaults.iterations,
  } = settings;
  const layer = network.layers.get(node.name)!;
  const weights = weightMatrix(node, reference.parameters, network);
  const { rows, columns } = layer;
  const problem = {
    weights,
    rows,
    columns,
    tileRows: settings.tileRows,
    weightBits: network.weightBits,
    bitLimit: 2 ** adcBitsOf(settings.adcBits, node.name) - 1,
    valueLimit: settings.valueLimit,
    searchLimit: settings.searchLimit ?? postTrainingDefaults.searchLimit,
    allowed,
    projection: method === 'bit-only' || method === 'magnitude' ? undefined : method,
    scales: allowed && layer.scales,
  };
  const { codes, scales, gaps, error, residuals } =
    compensation === 'none' ? projected(problem, moments) : admm({ ...problem, moments, iterations });
  const nonzero = codes.reduce((sum, code) => sum + (code === 0 ? 0 : 1), 0);
  return {
    layer: { ...layer, codes, scales, bias: correctedBias(layer, codes, scales, weights, moments) },
    outcome: {
      name: node.name,
      relativeError: error,
      nonzeroShare: nonzero / codes.length,
      residuals,
      gaps: method === 'lagrangian' || method === 'exact' ? gaps : undefined,
    },
  };
}

function projected(problem: ProjectWeightsOptions, { hessian }: SecondMoments) {
  const answer = projectWeights(problem);
  const error = relativeError(hessian, problem.weights, answer.codes, answer.scales, problem.rows);
  return { ...answer, error, residuals: [] };
}

function admm(problem: LayerAdmmProblem) {
  const { relativeError: error, ...answer } = layerAdmm(problem);
  return { ...answer, error };
}

/** Moments of the layer's real-valued input patches; the picture counts as pixels less their mean. */
export function measure(
  node: ConvNode | DenseNode,
  network: IntegerNetwork,
  flow: Flow,
  { patches = postTrainingDefaults.patches, seed = 1 }: Pick<PostTrainingSettings, 'patches' | 'seed'>,
): SecondMoments {
  const input = flow.codes.get(node.input)!;
  const { inputScale } = network.layers.get(node.name)!;
  const { shape } = input;
  const positions = randomPositions(node, shape, patches, randomStream(seed, `patches of ${node.name}`));
  const picture = node.input === 'input';
  const own = k.floats(input);
  const compressed = samplePatches(node, own, shape, positions, (code, c) =>
    picture ? code - 255 * network.mean[c] : code * inputScale,
  );
  if (picture) return secondMoments(compressed, compressed);
  const other = k.floats(flow.reference.get(node.input)!);
  return secondMoments(
    compressed,
    samplePatches(node, other, shape, positions, (value) => value),
  );
}

/** Bias that keeps each channel's mean output: reference mean through the real weights less compressed mean through the codes. */
function correctedBias(
  layer: IntegerLayer,
  codes: Int8Array,
  scales: Float32Array,
  weights: Float32Array,
  { mean, referenceMean }: { mean: Float32Array; referenceMean: Float32Array },
): Float32Array {
  const { rows, columns, bias } = layer;
  return bias.map((value, n) => {
    let shift = 0;
    for (let row = 0; row < rows; row++) {
      const at = row * columns + n;
      shift += referenceMean[row] * weights[at] - mean[row] * codes[at] * scales[n];
    }
    return value + shift;
  });
}
