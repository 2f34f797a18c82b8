import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { layerCandidates, planeProfiles, uniformCandidates } from '../admm/layer-candidates';
import { defaultCalibration, postTrainingDefaults } from '../admm/post-training-settings';
import { prunePostTraining } from '../admm/prune-post-training';
import type { PerPlane } from '../bitplanes/per-plane';
import { planeEncoding } from '../bitplanes/plane-encoding';
import type { Dataset } from '../data/dataset';
import { convertedBits } from '../hardware/design-cost';
import type { OnProgress } from '../progress';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';
import type { IntegerNetwork } from '../quantization/integer-network';
import { loadIntegerNetwork, saveIntegerNetwork } from '../quantization/model-file';
import type { Accuracy } from '../training/evaluate';
import { integerAccuracy } from './accuracy';
import { allocateAdcBits, sameEverywhere } from './allocate-adc-bits';
import { cachedResult, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import { certifyNetwork } from './certify-network';
import { networkHardware } from './network-hardware';
import { notedProgress } from './noted-progress';
import type { FloatModel } from './open-model';
import { quantizedModel } from './quantized-model';
import { describeStudy, type Study } from './study';

export interface BudgetStudyOptions {
  readonly model: FloatModel;
  readonly dataset: Dataset;
  /** Where results are kept; what is there from the same settings is not computed again. */
  readonly folder: string;
  /** R; default 128. */
  readonly tileRows?: number;
  /** Budgets, each the ADC energy of so many bits in every layer; whole numbers have a uniform rival. */
  readonly budgets?: readonly number[];
  /** ADC bits tried for each layer, all budgets among or between them; default 1 to 5. */
  readonly tried?: readonly number[];
  readonly seed?: number;
  readonly calibration?: number;
  readonly iterations?: number;
  readonly patches?: number;
  /** Test pictures at most; default all. */
  readonly testPictures?: number;
  readonly onProgress?: OnProgress;
}

/**
 * How ADC bits are spread: the same in all planes of all layers; the best profile over the planes, the same in every
 * layer; allocated to layers; allocated to layers and their planes.
 */
export const spreads = ['uniform', 'profile', 'layers', 'planes'] as const;

export type Spread = (typeof spreads)[number];

/** A pruned network at one budget. */
export interface BudgetPoint {
  readonly spread: Spread;
  /** The budget: the ADC energy of so many bits everywhere. */
  readonly budgetBits: number;
  readonly adcBits: AdcBits;
  readonly accuracy: Accuracy;
  readonly dropFrom8bit: number;
  readonly lossless: boolean;
  /** Measured from the pruned codes, of an inference: ADC energy (pJ), conversions, and mean bits of a conversion. */
  readonly adcEnergyPj: number;
  /** Of the whole macros: what larger ADCs on fewer columns cost elsewhere. Energy an inference (pJ), area, latency. */
  readonly macroEnergyPj: number;
  readonly macroAreaUm2: number;
  readonly latencyNs: number;
  readonly conversions: number;
  readonly meanBits: number;
  /** Sum of the layers' measured divergences (nats a picture), what the allocation minimises, and its certified bound. */
  readonly predicted: number;
  readonly lowerBound?: number;
}

export interface BudgetStudyResult extends Study {
  readonly tileRows: number;
  /** ADMM iterations and patches a layer of the final prunings. */
  readonly iterations: number;
  readonly patches: number;
  readonly integer: Accuracy;
  /** Divergence of the logits with one layer pruned alone, by layer and ADC bits of its planes. */
  readonly sensitivities: Readonly<Record<string, readonly { adcBits: PerPlane; divergence: number }[]>>;
  readonly points: readonly BudgetPoint[];
}

/** Raise it when the same settings give other results. */
const REVISION = 5;

/**
 * ADC bits allocated by measured sensitivity, to layers or to layers and planes, against the same bits everywhere, at
 * equal ADC energy.
 */
export function budgetStudy(options: BudgetStudyOptions): BudgetStudyResult {
  const { model, dataset, folder } = options;
  mkdirSync(folder, { recursive: true });
  const bench = openBench(options);
  const { tileRows, integer, settings } = bench;
  const allocation = keptAllocation(bench);
  const result: BudgetStudyResult = {
    ...describeStudy(model, dataset, settings),
    tileRows,
    iterations: settings.iterations ?? postTrainingDefaults.iterations,
    patches: settings.patches ?? postTrainingDefaults.patches,
    integer,
    sensitivities: allocation.sensitivities,
    points: bench.budgets.flatMap((_, i) =>
      sharesAt(bench, allocation, i).map((share) => keptPoint(bench, share)),
    ),
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}

type Bench = ReturnType<typeof openBench>;

/** What every point is measured with. */
function openBench(options: BudgetStudyOptions) {
  const { model, dataset, folder, tileRows = 128, seed = 1, iterations, patches } = options;
  const { budgets = [2, 2.5, 3, 4], tried = [1, 2, 3, 4, 5] } = options;
  const { calibration = defaultCalibration(dataset.train) } = options;
  const testPictures = Math.min(options.testPictures ?? dataset.test.count, dataset.test.count);
  const settings = { seed, calibration, iterations, patches };
  const key = {
    revision: REVISION,
    model: model.identity,
    data: dataset.checksums,
    tileRows,
    testPictures,
    ...settings,
  };
  const progress = notedProgress(options.onProgress);
  const pictures = calibrationPictures(dataset.train, calibration, seed);
  const quantized = quantizedModel(model, dataset, pictures);
  const accuracy = (network: IntegerNetwork, note: string) =>
    integerAccuracy(network, dataset.test, { limit: testPictures, onProgress: progress(note) });
  const integer = cachedResult(folder, 'integer', key, () => accuracy(quantized, '8-bit network'));
  return {
    model,
    folder,
    tileRows,
    budgets,
    tried,
    settings,
    key,
    progress,
    pictures,
    quantized,
    accuracy,
    integer,
  };
}

type Allocation = ReturnType<typeof allocated>;

/** Sensitivities and what is allocated by them, or what an earlier run kept. */
function keptAllocation(bench: Bench): Allocation {
  const { folder, key, budgets, tried } = bench;
  return cachedResult(folder, 'allocation', { ...key, budgets, tried }, () => allocated(bench));
}

function allocated(bench: Bench) {
  const { quantized, tileRows, budgets, tried } = bench;
  const candidates = triedCandidates(bench);
  const spread = <T>(share: (budget: { tileRows: number; budget: { uniformBits: number } }) => T) =>
    budgets.map((uniformBits) => share({ tileRows, budget: { uniformBits } }));
  const uniform = uniformCandidates(candidates);
  const harm = (bits: number) =>
    [...candidates.values()].reduce(
      (sum, own) => sum + own.find(({ adcBits }) => adcBits === bits)!.divergence,
      0,
    );
  return {
    profile: spread((budget) => sameEverywhere(quantized, candidates, budget)),
    layers: spread((budget) => allocateAdcBits(quantized, uniform, budget)),
    planes: spread((budget) => allocateAdcBits(quantized, candidates, budget)),
    uniform: tried.map((bits) => ({ bits, predicted: harm(bits) })),
    sensitivities: Object.fromEntries(
      [...candidates].map(([name, own]) => [
        name,
        own.map(({ adcBits, divergence }) => ({ adcBits, divergence })),
      ]),
    ),
  };
}

/** Every layer pruned alone, for all planes alike and for profiles over them. */
function triedCandidates({ model, quantized, pictures, tileRows, tried, settings, progress }: Bench) {
  const { seed, patches } = settings;
  const { planes } = planeEncoding('sign-split', quantized.weightBits);
  const wanted = { tileRows, seed, patches, adcBits: planeProfiles(tried, planes) };
  return layerCandidates(quantized, model.folded, pictures, wanted, progress('sensitivities'));
}

/** ADC bits that spend a budget. */
type Share = Pick<BudgetPoint, 'spread' | 'budgetBits' | 'adcBits' | 'predicted' | 'lowerBound'>;

/** What spends the budget at index `i`: by each spread, the uniform one where the budget is a whole number tried. */
function sharesAt({ budgets }: Bench, { uniform, profile, layers, planes }: Allocation, i: number): Share[] {
  const budgetBits = budgets[i];
  const same = uniform.find(({ bits }) => bits === budgetBits);
  const share = (spread: Spread, { adcBits, error }: (typeof profile)[number]) => ({
    spread,
    budgetBits,
    adcBits,
    predicted: error,
  });
  return [
    ...(same
      ? [{ spread: 'uniform' as const, budgetBits, adcBits: budgetBits, predicted: same.predicted }]
      : []),
    share('profile', profile[i]),
    { ...share('layers', layers[i]), lowerBound: layers[i].lowerBound },
    { ...share('planes', planes[i]), lowerBound: planes[i].lowerBound },
  ];
}

/** A network pruned for a share and what was measured of it, or what an earlier run kept. */
function keptPoint(bench: Bench, { adcBits, ...share }: Share): BudgetPoint {
  const { folder, key } = bench;
  const name = `${share.spread}-${share.budgetBits}`;
  return cachedResult(folder, name, { ...key, adcBits }, () => ({
    ...share,
    adcBits,
    ...measurePruned(bench, prunedFor(bench, adcBits, name), adcBits, name),
  }));
}

/** The pruned network as it was written. */
function prunedFor(bench: Bench, adcBits: AdcBits, name: string): IntegerNetwork {
  const { model, folder, quantized, pictures, tileRows, settings, progress } = bench;
  const { seed, iterations, patches } = settings;
  const wanted = { tileRows, adcBits, seed, iterations, patches };
  const { network } = prunePostTraining(quantized, model.folded, pictures, wanted, progress(name));
  const path = join(folder, `${name}.safetensors`);
  saveIntegerNetwork(path, network, { source: { model: model.name, sha256: model.sha256 } });
  return loadIntegerNetwork(path);
}

function measurePruned(bench: Bench, network: IntegerNetwork, adcBits: AdcBits, name: string) {
  const { tileRows, integer } = bench;
  const accuracy = bench.accuracy(network, name);
  const bitsOf = (layer: string) => adcBitsOf(adcBits, layer);
  const { pruned } = networkHardware(network, { tileRows, adcBits: bitsOf });
  return {
    accuracy,
    dropFrom8bit: integer.top1 - accuracy.top1,
    lossless: certifyNetwork(network).lossless,
    adcEnergyPj: pruned.scopes.adc.energyPj,
    macroEnergyPj: pruned.scopes.macro.energyPj,
    macroAreaUm2: pruned.scopes.macro.areaUm2,
    latencyNs: pruned.latencyNs,
    conversions: pruned.conversions,
    meanBits: pruned.layers.reduce((sum, layer) => sum + convertedBits(layer), 0) / pruned.conversions,
  };
}
