import { InputError } from '../errors';
import type { Pictures } from '../networks/inference';
import { sideBranchesFirst } from '../networks/side-branches-first';
import type { OnProgress } from '../progress';
import type { BitMask } from '../projections/bit-mask';
import { isPlainSignSplit } from '../projections/limits';
import type { IntegerNetwork, PruningRecord } from '../quantization/integer-network';
import { type BudgetSettings, type LayerBudget, layerBudget } from './layer-budget';
import type { LayerStore, PrunedLayer } from './layer-store';
import { measureLayer } from './measure-layer';
import { checkSettings, type PostTrainingSettings } from './post-training-settings';
import { type LayerOutcome, pruneLayer } from './prune-layer';
import { allowedBits, type Compensation, type PruningMethod, wholeWeightMethods } from './pruning-method';
import { type ReferenceNetwork, throughLayers } from './through-layers';

export interface PostTrainingResult {
  readonly network: IntegerNetwork;
  /** In network order. */
  readonly layers: readonly LayerOutcome[];
}

/**
 * Pruning after training, without labels, hierarchical unless another method is chosen: layer by layer in network order,
 * each calibrated on what the already compressed layers give it. Both networks' activations go down side by side, and a
 * layer is pruned when its inputs have arrived.
 * @param network the unpruned integer network; its activation scales are kept
 * @param store keeps every layer as it is done, and gives those that an interrupted run has done already
 * @throws InputError for settings out of range or fewer than 16 calibration pictures
 */
export function prunePostTraining(
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  calibration: Pictures,
  settings: PostTrainingSettings,
  onProgress?: OnProgress,
  store?: LayerStore,
): PostTrainingResult {
  checkSettings(settings, calibration);
  const budgets = layerBudgets(network, settings);
  const masks = masksOf(network, settings, budgets);
  const pruning = pruningRecord(settings, budgets);
  // Codes and flips of an encoding are read back by its record alone.
  const unfinished = { ...pruning, method: `${pruning.method}, unfinished` };
  const outcomes: LayerOutcome[] = [];
  const finished = store?.finished() ?? new Map<string, PrunedLayer>();
  const done = new Map(network.layers);
  // Projection shortcuts are pruned first, so that the 3x3 convolutions beside them make their losses good.
  const ordered = { ...network, description: sideBranchesFirst(network.description) };
  const pruned = throughLayers(ordered, reference, calibration, settings, onProgress, (step) => {
    const { node, timer } = step;
    const kept = finished.get(node.name);
    if (kept) {
      outcomes.push(kept.outcome);
      done.set(node.name, kept.layer);
      return kept.layer;
    }
    const measured = timer.time('moments', () => measureLayer(step, ordered, settings));
    const chosen = { budget: budgets.get(node.name)!, allowed: masks.get(node.name) };
    const { layer, outcome } = pruneLayer({ node, network, reference, measured }, timer, settings, chosen);
    outcomes.push(outcome);
    done.set(node.name, layer);
    store?.keep({ ...network, layers: done, pruning: unfinished }, outcomes);
    return layer;
  });
  const names = [...network.layers.keys()];
  const layers = new Map(names.map((name) => [name, pruned.get(name)!]));
  return {
    layers: names.map((name) => outcomes.find((outcome) => outcome.name === name)!),
    network: { ...network, layers, pruning },
  };
}

/** What the pruning promises. */
function pruningRecord(
  settings: PostTrainingSettings,
  budgets: ReadonlyMap<string, LayerBudget>,
): PruningRecord {
  const { method = 'lagrangian', compensation = 'layer-admm', tileRows, adcBits, valueLimit } = settings;
  const { encoding = 'sign-split', cellBits, dacBits } = settings;
  return {
    method: methodText(method, compensation),
    tileRows,
    encoding,
    ...(cellBits !== undefined && { cellBits }),
    ...(dacBits !== undefined && { dacBits }),
    adcBits,
    bitLimit: Object.fromEntries([...budgets].map(([name, { bitLimit }]) => [name, bitLimit])),
    ...(valueLimit !== undefined && {
      valueLimit: Object.fromEntries([...budgets.keys()].map((name) => [name, valueLimit])),
    }),
  };
}

function methodText(method: PruningMethod, compensation: Compensation): string {
  const set = method === 'lagrangian' ? 'hierarchical' : method;
  return compensation === 'none' ? set : `${set}, layer ADMM`;
}

/** Limits of every layer, by name. @throws InputError for budgets out of range, or DACs that a layer's inputs cannot use */
export function layerBudgets(
  { layers, weightBits }: IntegerNetwork,
  settings: BudgetSettings,
): Map<string, LayerBudget> {
  const { dacBits = 1 } = settings;
  for (const { name, inputSigned } of layers.values())
    if (inputSigned && dacBits > 1)
      throw new InputError(`dacBits ${dacBits}: layer '${name}' takes signed inputs, which need 1-bit DACs`);
  return new Map([...layers.keys()].map((name) => [name, layerBudget(settings, name, weightBits)]));
}

/** The bits that methods which choose them beforehand leave each layer. */
export function masksOf(
  network: IntegerNetwork,
  { method = 'lagrangian', tileRows, ...coding }: Omit<PostTrainingSettings, 'adcBits'>,
  budgets: ReadonlyMap<string, LayerBudget>,
): Map<string, BitMask> {
  if (wholeWeightMethods.includes(method))
    for (const [name, { bitLimit }] of budgets)
      if ([bitLimit].flat().includes(0))
        throw new InputError(
          `method ${method} keeps weights whole: layer '${name}' needs an ADC for every plane`,
        );
  if (method !== 'bit-only' && method !== 'magnitude') return new Map();
  if (!isPlainSignSplit(coding)) throw new InputError(`method ${method}: for sign-split in 1-bit cells only`);
  return allowedBits(method, network, tileRows, (name) => budgets.get(name)!.bitLimit);
}
