import type { Dataset } from '../data/dataset';
import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import type { InferenceOptions, Pictures } from '../networks/inference';
import { parameterShapes } from '../networks/parameter-shapes';
import type { StoredTensor } from '../networks/stored-tensor';
import type { QuantizationBits } from '../quantization/build-integer-network';
import type { IntegerNetwork } from '../quantization/integer-network';
import { packParameters, parameterLayout, unpackParameters } from '../training/parameter-vector';
import {
  type PytorchEpoch,
  type PytorchResult,
  type PytorchStage,
  runPytorch,
} from '../training/pytorch/run-pytorch';
import type { LayerCodes } from './network-admm';
import { REFRESHED_METHOD } from './refreshing';
import { RELAXED_METHOD } from './relaxation';
import { trainedIntegerNetwork } from './trained-integer-network';
import { type TrainedLayer, trainedLayers, writeCodes } from './trained-layers';
import { anyBits, unfoldedCodes } from './unfolded-codes';

export interface PytorchPruningOptions {
  /** A Python with PyTorch. */
  readonly python: string;
  /** Where the job and its result are kept. */
  readonly folder: string;
  /** The trained network, with batch norm: where pruning starts, and the teacher. */
  readonly description: NetworkDescription;
  readonly parameters: Parameters;
  readonly normalisation: InferenceOptions;
  readonly dataset: Dataset;
  /** For input scales. */
  readonly calibration: Pictures;
  readonly stage: PytorchStage & Required<Pick<PytorchStage, 'prune'>>;
  readonly adcBits: number;
  /** A pruned network of the same float network and R: training starts from its codes. */
  readonly start?: IntegerNetwork;
  readonly seed: number;
  readonly bits: QuantizationBits;
  readonly note: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface PytorchPruned {
  readonly network: IntegerNetwork;
  readonly curve: readonly PytorchEpoch[];
  readonly engine: PytorchResult['engine'];
}

/**
 * Hierarchical pruning while PyTorch trains, on a GPU where it has one. What comes back are codes and scales: input
 * scales, certificate and accuracy are ours. Undefined when the signal stopped it.
 * @throws InputError for a `start` of another network, and as `runPytorch`
 */
export async function pruneByPytorch(options: PytorchPruningOptions): Promise<PytorchPruned | undefined> {
  const { python, folder, description, parameters, normalisation, dataset, seed, bits } = options;
  const { weightBits } = bits;
  const { weightBits: _, ...own } = options.stage.prune;
  // A job of 8-bit weights does not name them: kept results of such jobs stay valid.
  const prune = { ...own, ...(weightBits !== 8 && { weightBits }) };
  const stage = { ...options.stage, prune };
  const layers = trainedLayers(description, normalisation.std);
  const start = options.start ? prunedParameters(options, options.start, layers) : parameters;
  const job = { network: description, dataset, normalisation, stage, seed, start, teacher: parameters };
  const result = await runPytorch(python, folder, job, options);
  if (!result) return undefined;
  const codes = new Map(layers.map((layer) => [layer.name, codesOf(layer, result.tensors, weightBits)]));
  const trained = withCodes(description, result.tensors, layers, codes);
  const { calibration } = options;
  const network = trainedIntegerNetwork(
    description,
    trained,
    layers,
    codes,
    normalisation,
    calibration,
    bits,
  );
  const { rows, bitLimit } = prune;
  const pruning = {
    method: 'refreshes' in prune ? REFRESHED_METHOD : RELAXED_METHOD,
    tileRows: rows,
    encoding: 'sign-split',
    adcBits: options.adcBits,
    bitLimit: Object.fromEntries(layers.map(({ name }) => [name, bitLimit])),
  } as const;
  return { network: { ...network, pruning }, curve: result.curve, engine: result.engine };
}

function codesOf(
  { name, rows, columns }: TrainedLayer,
  tensors: ReadonlyMap<string, StoredTensor>,
  weightBits: number,
): LayerCodes {
  const largest = 2 ** (weightBits - 1) - 1;
  const codes = tensors.get(`${name}.codes`);
  const scales = tensors.get(`${name}.scales`);
  const fits =
    codes?.data instanceof Int8Array &&
    codes.shape.join() === `${rows},${columns}` &&
    codes.data.every((code) => Math.abs(code) <= largest) &&
    scales?.data instanceof Float32Array &&
    scales.data.length === columns;
  if (!fits)
    throw new InputError(
      `--pytorch: the result has no '${name}.codes' (I8 [${rows}, ${columns}], at most ${largest}) and '${name}.scales' (F32 [${columns}])`,
    );
  return { codes: codes.data as Int8Array, scales: scales.data as Float32Array };
}

/** All parameters, crossbar weights from codes. */
function withCodes(
  description: NetworkDescription,
  tensors: ReadonlyMap<string, StoredTensor>,
  layers: readonly TrainedLayer[],
  codes: ReadonlyMap<string, LayerCodes>,
): Parameters {
  const plain: Parameters = new Map();
  for (const [name, shape] of parameterShapes(description)) {
    const data = tensors.get(name)?.data ?? new Float32Array(shape.reduce((a, b) => a * b, 1));
    plain.set(name, { shape, data: data as Float32Array });
  }
  return writeAll(description, plain, layers, codes);
}

/** The float network's parameters with a pruned network's codes in the place of its weights. */
function prunedParameters(
  { description, parameters, normalisation, stage }: PytorchPruningOptions,
  start: IntegerNetwork,
  layers: readonly TrainedLayer[],
): Parameters {
  const trained = packParameters(parameters, parameterLayout(description).slots);
  const settings = anyBits(start, stage.prune.rows);
  const unfolding = { description, parameters, normalisation, settings };
  const ordered = layers.map((layer) => ({ ...layer, rowOrder: start.layers.get(layer.name)?.rowOrder }));
  return writeAll(description, parameters, ordered, unfoldedCodes(start, unfolding, ordered, trained));
}

function writeAll(
  description: NetworkDescription,
  parameters: Parameters,
  layers: readonly TrainedLayer[],
  codes: ReadonlyMap<string, LayerCodes>,
): Parameters {
  const layout = parameterLayout(description);
  const vector = packParameters(parameters, layout.slots);
  for (const layer of layers) writeCodes(layer, codes.get(layer.name)!, vector);
  const statistics = packParameters(parameters, layout.statistics);
  return unpackParameters(description, layout, vector, statistics);
}
