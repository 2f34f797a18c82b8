import { InputError } from '../errors';
import type { ConvNode, DenseNode, NetworkDescription, Node, Parameters } from '../networks/description';
import { type Pictures, runNode, uploadParameters } from '../networks/inference';
import { lastUses } from '../networks/last-uses';
import type { OnProgress } from '../progress';
import { weightMatrix } from '../quantization/build-integer-network';
import { groupColumns, groupCount, groupRows, joinColumns } from '../quantization/channel-groups';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { inputCoding } from '../quantization/input-coding';
import { loadLayer } from '../quantization/integer-layer';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { DType, dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { randomStream } from '../tensor/random';
import { layerAdmm } from './layer-admm';
import { type BudgetSettings, type LayerBudget, layerBudget } from './layer-budget';
import { randomPositions, samplePatches } from './patch-samples';
import { momentsOfRows, secondMoments } from './second-moments';

export interface PostTrainingSettings extends BudgetSettings {
  /** R: rows summed in one conversion. */
  readonly tileRows: number;
  /** ADMM iterations a layer at most. */
  readonly iterations?: number;
  /** Input patches a layer from which its Hessian is measured. */
  readonly patches?: number;
  readonly seed?: number;
}

/** What works well for CIFAR networks: more of each lowers the error a little and costs time in proportion. */
export const postTrainingDefaults = { calibration: 384, iterations: 25, patches: 6144 } as const;

export interface LayerOutcome {
  readonly name: string;
  /** Output error over output variance on the calibration pictures; of a grouped convolution the mean over its groups. */
  readonly relativeError: number;
  readonly nonzeroShare: number;
  readonly residuals: readonly number[];
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
  const budgets = new Map(
    [...network.layers.keys()].map((name) => [name, layerBudget(settings, name, network.weightBits)]),
  );
  const total = crossbarNodes(description).length;
  const lastUse = lastUses(description);
  const layers = new Map<string, IntegerLayer>();
  const outcomes: LayerOutcome[] = [];
  const referenceTensors = uploadParameters(reference.parameters);
  const flow = startFlow(network, calibration);
  try {
    description.nodes.forEach((node, index) => {
      if (node.op === 'conv' || node.op === 'dense') {
        onProgress?.({ done: outcomes.length, total, note: node.name });
        const { layer, outcome } = pruneLayer(
          node,
          network,
          reference,
          flow,
          settings,
          budgets.get(node.name)!,
        );
        layers.set(node.name, layer);
        outcomes.push(outcome);
      }
      advance(node, network, layers, flow, referenceTensors);
      for (const [name, at] of lastUse) if (at === index) flow.forget(name);
    });
  } finally {
    flow.dispose();
    dispose(...referenceTensors.values());
  }
  onProgress?.({ done: total, total, note: 'pruned' });
  const { encoding = 'sign-split', cellBits, dacBits } = settings;
  const names = [...layers.keys()];
  return {
    layers: outcomes,
    network: {
      ...network,
      layers,
      pruning: {
        method: 'hierarchical, layer ADMM',
        tileRows: settings.tileRows,
        encoding,
        ...(cellBits !== undefined && { cellBits }),
        ...(dacBits !== undefined && { dacBits }),
        adcBits: settings.adcBits,
        bitLimit: Object.fromEntries(names.map((name) => [name, budgets.get(name)!.bitLimit])),
        ...(settings.valueLimit !== undefined && {
          valueLimit: Object.fromEntries(names.map((name) => [name, settings.valueLimit!])),
        }),
      },
    },
  };
}

const RANGES = {
  tileRows: [1, 65535],
  valueLimit: [1, 65535],
  iterations: [1, 1e6],
  patches: [1, 1e9],
} as const;

function validate(settings: PostTrainingSettings, { count }: Pictures): void {
  for (const [field, [least, most]] of Object.entries(RANGES)) {
    const value = settings[field as keyof typeof RANGES];
    if (value !== undefined && (!Number.isInteger(value) || value < least || value > most))
      throw new InputError(`${field} ${value} is not a whole number from ${least} to ${most}`);
  }
  if (count < 16) throw new InputError(`${count} calibration pictures are too few; at least 16 are needed`);
}

/** Activations of both networks by node: codes where a crossbar reads them, real values elsewhere. */
interface Flow {
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

function pruneLayer(
  node: ConvNode | DenseNode,
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  flow: Flow,
  settings: PostTrainingSettings,
  budget: LayerBudget,
): { layer: IntegerLayer; outcome: LayerOutcome } {
  const layer = network.layers.get(node.name)!;
  const weights = weightMatrix(node, reference.parameters, network);
  const moments = measure(node, network, flow, settings);
  const { columns, rows } = layer;
  const groups = groupCount(node);
  // Groups share neither inputs nor columns, so each is a layer of its own.
  const parts = Array.from({ length: groups }, (_, group) => {
    const own = groupColumns(weights, columns, groups, group);
    const inputs = groups === 1 ? moments : momentsOfRows(moments, groupRows(node, group));
    const pruned = layerAdmm({
      weights: own,
      columns: columns / groups,
      moments: inputs,
      tileRows: settings.tileRows,
      weightBits: network.weightBits,
      ...budget,
      iterations: settings.iterations ?? postTrainingDefaults.iterations,
    });
    const before = groupColumns(layer.bias, columns, groups, group);
    return { ...pruned, bias: correctedBias(before, pruned.codes, pruned.scales, own, inputs) };
  });
  const codes = joinColumns(
    parts.map((part) => part.codes),
    rows,
  );
  const flips = parts.flatMap((part) => part.flips ?? []);
  const nonzero = codes.reduce((sum, code) => sum + (code === 0 ? 0 : 1), 0);
  return {
    layer: {
      ...layer,
      codes,
      ...(flips.length > 0 && { flips: joinColumns(flips, Math.ceil(rows / settings.tileRows)) }),
      scales: joinColumns(
        parts.map((part) => part.scales),
        1,
      ),
      bias: joinColumns(
        parts.map((part) => part.bias),
        1,
      ),
    },
    outcome: {
      name: node.name,
      relativeError: parts.reduce((sum, part) => sum + part.relativeError, 0) / groups,
      nonzeroShare: nonzero / codes.length,
      residuals: longest(parts.map((part) => part.residuals)),
    },
  };
}

/** Of several groups the one that took most iterations. */
function longest(lists: readonly (readonly number[])[]): readonly number[] {
  return lists.reduce((most, list) => (list.length > most.length ? list : most));
}

/** Moments of the layer's real-valued input patches; the picture counts as pixels less their mean. */
function measure(
  node: ConvNode | DenseNode,
  network: IntegerNetwork,
  flow: Flow,
  { patches = postTrainingDefaults.patches, seed = 1 }: PostTrainingSettings,
) {
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
  bias: Float32Array,
  codes: Int8Array,
  scales: Float32Array,
  weights: Float32Array,
  { mean, referenceMean }: { mean: Float32Array; referenceMean: Float32Array },
): Float32Array {
  const columns = bias.length;
  return bias.map((value, n) => {
    let shift = 0;
    for (let row = 0; row < mean.length; row++) {
      const at = row * columns + n;
      shift += referenceMean[row] * weights[at] - mean[row] * codes[at] * scales[n];
    }
    return value + shift;
  });
}
