import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { evenTileRows } from '../bitplanes/even-tile-rows';
import type { PerPlane } from '../bitplanes/per-plane';
import type { Dataset } from '../data/dataset';
import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import { foldBatchNorm } from '../networks/fold-batch-norm';
import { createInference, type InferenceOptions, type Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { tuneScales } from '../projections/tune-scales';
import { activationScales } from '../quantization/activation-scales';
import { fakeQuantizer } from '../quantization/fake-quantization';
import type { IntegerNetwork } from '../quantization/integer-network';
import { hashParameters } from '../training/hash-parameters';
import { packParameters, parameterLayout, unpackParameters } from '../training/parameter-vector';
import { defaultRecipe, type EpochRecord, type TrainingRecipe, train } from '../training/train';
import { layerBudget } from './layer-budget';
import { createMaskedWeights } from './masked-weights';
import {
  createNetworkAdmm,
  type LayerCodes,
  type NetworkAdmmSettings,
  networkAdmmDefaults,
} from './network-admm';
import { REFRESHED_METHOD } from './refreshing';
import { RELAXED_METHOD } from './relaxation';
import { trainedIntegerNetwork } from './trained-integer-network';
import { layerWeights, type TrainedLayer, trainedLayers, writeCodes } from './trained-layers';
import { requireTrained, type TrainingPruningSettings } from './training-pruning-settings';
import { anyBits, unfoldedCodes, writeBiases } from './unfolded-codes';

/** Pictures on which batch norm's statistics are measured for the averaged weights, rounded to their codes. */
const REESTIMATION = 5000;

export interface TrainingPruningOptions {
  /** The trained network, with batch norm: where pruning starts, and the teacher unless that is another one. */
  readonly description: NetworkDescription;
  readonly parameters: Parameters;
  /** Of a teacher of the same description. */
  readonly teacher?: Parameters;
  readonly normalisation: InferenceOptions;
  readonly dataset: Dataset;
  /** For input scales. */
  readonly calibration: Pictures;
  readonly settings: TrainingPruningSettings;
  /**
   * A pruned network of the same float network and R: its bits, within the budgets, are kept and retrained. With a
   * relaxation it may have any, and training starts from its weights.
   */
  readonly start?: IntegerNetwork;
  /** Where the states of both trainings are kept; the same call goes on from there. Absent: nowhere. */
  readonly folder?: string;
  readonly evaluateEvery?: number;
  readonly onProgress?: OnProgress;
  readonly onEpoch?: (stage: 'admm' | 'retraining', record: EpochRecord, epochs: number) => void;
  readonly signal?: AbortSignal;
}

export interface TrainingPruningResult {
  /** Undefined when the signal stopped it. */
  readonly network: IntegerNetwork | undefined;
  readonly admm: readonly EpochRecord[];
  readonly retraining: readonly EpochRecord[];
}

/**
 * Hierarchical pruning by training, the paper's way: network ADMM (unless `start` gives the bits), hard projection,
 * masked retraining with distillation from the float network. With a relaxation no ADMM: bits are chosen while real
 * weights are trained. The result keeps its limits whatever training did: under frozen bits every forward pass already
 * uses feasible codes.
 * @throws InputError for settings out of range, or a `start` of another network or other limits
 */
export async function pruneByTraining(options: TrainingPruningOptions): Promise<TrainingPruningResult> {
  const { description, parameters, normalisation, settings, start } = options;
  const { encoding = 'sign-split', weightBits = 8, inputBits = 8, tileRows, adcBits, valueLimit } = settings;
  requireTrained(encoding);
  if (settings.relaxation && settings.admmEpochs > 0)
    throw new InputError(`admmEpochs ${settings.admmEpochs}: 0 with a relaxation, which chooses the bits`);
  const layers = trainedLayers(description, normalisation.std).map((layer) => ({
    ...layer,
    rowOrder: start?.layers.get(layer.name)?.rowOrder,
  }));
  const bitLimit = Object.fromEntries(
    layers.map(({ name }) => [name, layerBudget({ adcBits, encoding }, name, weightBits).bitLimit]),
  );
  const layout = parameterLayout(description);
  const trained = packParameters(parameters, layout.slots);
  const folded = foldBatchNorm(description, parameters);
  const { precision } = settings;
  const taught = options.teacher ? foldBatchNorm(description, options.teacher) : folded;
  const teacher = createInference(taught.description, taught.parameters, { ...normalisation, precision });
  try {
    const rounded = settings.quantizedActivations ? activationRounding() : undefined;
    const chosen = start
      ? { codes: startingCodes(start), parameters, curve: [], finished: true }
      : await chooseBits();
    if (!chosen.finished) return { network: undefined, admm: chosen.curve, retraining: [] };
    const weights = packParameters(chosen.parameters, layout.slots);
    const steering = createMaskedWeights(layers, rescaled(chosen.codes), weights, {
      tileRows,
      encoding,
      weightBits,
      bitLimit,
      valueLimit,
      refreshes: settings.maskRefreshes,
      pull: settings.pull,
      prunedGradient: settings.prunedGradient,
      relaxation: settings.relaxation,
      method: settings.method,
    });
    // Start from what the codes stand for, so that nothing that ADMM or calibration found is lost.
    if (start) for (const layer of layers) writeCodes(layer, chosen.codes.get(layer.name)!, weights);
    if (start && settings.frozenBatchNorm) writeBiases(start, description, parameters, weights);
    const retrained = await train({
      ...common('retraining', settings.retrainEpochs, settings.retrainRate),
      start: unpackWith(weights, chosen.parameters),
      steering,
      afterNode: rounded,
    });
    if (!retrained.finished) return { network: undefined, admm: chosen.curve, retraining: retrained.curve };
    const placed = steering.codes(packParameters(retrained.parameters, layout.slots));
    const network = trainedIntegerNetwork(
      description,
      retrained.parameters,
      layers,
      placed,
      normalisation,
      options.calibration,
      { weightBits, inputBits },
    );
    return {
      network: {
        ...network,
        pruning: {
          method: methodName(),
          tileRows,
          encoding,
          adcBits,
          bitLimit,
          ...(valueLimit !== undefined && {
            valueLimit: Object.fromEntries(layers.map(({ name }) => [name, valueLimit])),
          }),
        },
      },
      admm: chosen.curve,
      retraining: retrained.curve,
    };
  } finally {
    teacher.dispose();
  }

  /** Codes that training starts from; a relaxation chooses bits itself, so the start may have others. */
  function startingCodes(start: IntegerNetwork) {
    const limits = settings.relaxation ? anyBits(start, tileRows) : settings;
    return unfoldedCodes(start, { ...options, settings: limits }, layers, trained);
  }

  /** The same at scales that fit weights of other bits or of another encoding than the start's: with its own, high planes would stay empty. */
  function rescaled(codes: ReadonlyMap<string, LayerCodes>) {
    if (!settings.relaxation || !start) return codes;
    if (start.weightBits === weightBits && start.pruning?.encoding === encoding) return codes;
    const weights = trained.slice();
    for (const layer of layers) writeCodes(layer, codes.get(layer.name)!, weights);
    return projectedCodes(layers, weights, settings, bitLimit);
  }

  function methodName() {
    if (settings.relaxation) return RELAXED_METHOD;
    if (settings.maskRefreshes > 0) return REFRESHED_METHOD;
    const chosenBy = start ? 'layer ADMM' : settings.admmEpochs > 0 ? 'network ADMM' : 'projection';
    return `hierarchical, ${chosenBy} and retraining`;
  }

  /** Rounds activations as the integer network will. */
  function activationRounding() {
    const { calibration } = options;
    const network = [folded.description, folded.parameters] as const;
    const scales = activationScales(...network, normalisation, calibration, inputBits);
    return fakeQuantizer(description, scales, inputBits);
  }

  /** What both trainings share. */
  function common(stage: 'admm' | 'retraining', epochs: number, peak: number) {
    const { onEpoch, folder } = options;
    const { batchSize, weightDecay, distillation, labelSmoothing, averageDecay, precision, seed } = settings;
    const recipe: TrainingRecipe = {
      ...defaultRecipe,
      epochs,
      batchSize,
      schedule: { kind: 'cosine', peak, warmup: settings.warmup },
      weightDecay,
      distillation,
      labelSmoothing,
      averageDecay,
      cutout: settings.cutout,
      views: settings.views,
      mixing: settings.mixing,
      frozenBatchNorm: settings.frozenBatchNorm,
      precision,
      steering: JSON.stringify(settings),
      ...(options.teacher && { teacher: digestOf(options.teacher) }),
      seed,
    };
    return {
      network: description,
      dataset: options.dataset,
      normalisation,
      recipe,
      teacher,
      checkpoint: folder && join(folder, `${stage}.state.safetensors`),
      reestimation: stage === 'retraining' && !settings.frozenBatchNorm ? REESTIMATION : 0,
      evaluateEvery: options.evaluateEvery,
      onProgress: options.onProgress,
      onEpoch: onEpoch && ((record: EpochRecord) => onEpoch(stage, record, epochs)),
      signal: options.signal,
    };
  }

  /** Bits from network ADMM, or without its epochs from one projection. */
  async function chooseBits() {
    if (settings.admmEpochs === 0)
      return {
        codes: projectedCodes(layers, trained, settings, bitLimit),
        parameters,
        curve: [] as EpochRecord[],
        finished: true,
      };
    const admmSettings: NetworkAdmmSettings = {
      ...networkAdmmDefaults,
      ...settings,
      weightBits,
      bitLimit,
    };
    const steering = createNetworkAdmm(layers, layout.length, admmSettings);
    const { parameters: dense, ...rest } = await train({
      ...common('admm', settings.admmEpochs, settings.admmRate),
      start: parameters,
      steering,
    });
    return { ...rest, parameters: dense, codes: steering.codes() };
  }

  /** Named parameters with another weight vector. */
  function unpackWith(weights: Float32Array, others: Parameters): Parameters {
    const statistics = packParameters(others, layout.statistics);
    return unpackParameters(description, layout, weights, statistics);
  }
}

/** Codes of one projection of the trained weights at tuned scales. */
function projectedCodes(
  layers: readonly TrainedLayer[],
  weights: Float32Array,
  { tileRows, encoding, weightBits = 8, valueLimit, method }: TrainingPruningSettings,
  limits: Readonly<Record<string, PerPlane>>,
): Map<string, LayerCodes> {
  return new Map(
    layers.map((layer) => {
      const { rows, columns } = layer;
      const own = { encoding, weightBits, bitLimit: limits[layer.name], valueLimit, method };
      const shape = { rows, columns, tileRows: evenTileRows(rows, tileRows), ...own };
      const { codes, scales } = tuneScales({ ...shape, weights: layerWeights(layer, weights) });
      return [layer.name, { codes, scales }];
    }),
  );
}

/** SHA-256 of all parameters. */
function digestOf(parameters: Parameters): string {
  const hash = createHash('sha256');
  hashParameters(hash, parameters);
  return hash.digest('hex');
}
