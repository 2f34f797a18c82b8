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
import { loadIntegerNetwork, saveIntegerNetwork } from '../quantization/model-file';
import type { Accuracy } from '../training/evaluate';
import { integerAccuracy } from './accuracy';
import { allocateAdcBits, sameEverywhere } from './allocate-adc-bits';
import { cachedResult, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import { certifyNetwork } from './certify-network';
import { networkHardware } from './network-hardware';
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
const REVISION = 3;

/** ADMM iterations for the sensitivities: less exact than the final pruning, and only compared with one another. */
const SENSITIVITY_ITERATIONS = 3;

/**
 * ADC bits allocated by measured sensitivity, to layers or to layers and planes, against the same bits everywhere, at
 * equal ADC energy.
 */
export function budgetStudy(options: BudgetStudyOptions): BudgetStudyResult {
  const {
    model,
    dataset,
    folder,
    tileRows = 128,
    budgets = [2, 2.5, 3, 4],
    seed = 1,
    tried = [1, 2, 3, 4, 5],
  } = options;
  mkdirSync(folder, { recursive: true });
  const { calibration = defaultCalibration(dataset.train), iterations, patches } = options;
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
  const progress =
    (note: string): OnProgress =>
    (p) =>
      options.onProgress?.({ ...p, note: `${note}: ${p.note ?? ''}` });
  const pictures = calibrationPictures(dataset.train, calibration, seed);
  const quantized = quantizedModel(model, dataset, pictures);
  const integer = cachedResult(folder, 'integer', key, () =>
    integerAccuracy(quantized, dataset.test, { limit: testPictures, onProgress: progress('8-bit network') }),
  );
  const { planes } = planeEncoding('sign-split', quantized.weightBits);
  const { sensitivities, uniform, ...allocations } = cachedResult(
    folder,
    'allocation',
    { ...key, budgets, tried },
    () => {
      const candidates = layerCandidates(
        quantized,
        model.folded,
        pictures,
        {
          tileRows,
          seed,
          patches,
          adcBits: planeProfiles(tried, planes),
          iterations: Math.min(SENSITIVITY_ITERATIONS, iterations ?? Infinity),
        },
        progress('sensitivities'),
      );
      const own = [...candidates].map(
        ([name, list]) => [name, list.map(({ adcBits, divergence }) => ({ adcBits, divergence }))] as const,
      );
      const allocate = (among: ReturnType<typeof uniformCandidates>) =>
        budgets.map((uniformBits) =>
          allocateAdcBits(quantized, among, { tileRows, budget: { uniformBits } }),
        );
      return {
        profile: budgets.map((uniformBits) =>
          sameEverywhere(quantized, candidates, { tileRows, budget: { uniformBits } }),
        ),
        layers: allocate(uniformCandidates(candidates)),
        planes: allocate(candidates),
        uniform: tried.map((bits) => ({
          bits,
          predicted: own.reduce(
            (sum, [, list]) => sum + list.find(({ adcBits }) => adcBits === bits)!.divergence,
            0,
          ),
        })),
        sensitivities: Object.fromEntries(own),
      };
    },
  );
  const point = (
    spread: Spread,
    budgetBits: number,
    adcBits: AdcBits,
    predicted: number,
    lowerBound?: number,
  ): BudgetPoint => {
    const name = `${spread}-${budgetBits}`;
    return cachedResult(folder, name, { ...key, adcBits }, () => {
      const wanted = { tileRows, adcBits, seed, iterations, patches };
      const pruned = prunePostTraining(quantized, model.folded, pictures, wanted, progress(name));
      const path = join(folder, `${name}.safetensors`);
      saveIntegerNetwork(path, pruned.network, { source: { model: model.name, sha256: model.sha256 } });
      const network = loadIntegerNetwork(path);
      const accuracy = integerAccuracy(network, dataset.test, {
        limit: testPictures,
        onProgress: progress(name),
      });
      const cost = networkHardware(network, {
        tileRows,
        adcBits: (layer) => adcBitsOf(adcBits, layer),
      }).pruned;
      return {
        spread,
        budgetBits,
        adcBits,
        accuracy,
        dropFrom8bit: integer.top1 - accuracy.top1,
        lossless: certifyNetwork(network).lossless,
        adcEnergyPj: cost.scopes.adc.energyPj,
        macroEnergyPj: cost.scopes.macro.energyPj,
        macroAreaUm2: cost.scopes.macro.areaUm2,
        latencyNs: cost.latencyNs,
        conversions: cost.conversions,
        meanBits: cost.layers.reduce((sum, layer) => sum + convertedBits(layer), 0) / cost.conversions,
        predicted,
        lowerBound,
      };
    });
  };
  const points = budgets.flatMap((budget, i) => {
    const own = uniform.find(({ bits }) => bits === budget);
    return [
      ...(own ? [point('uniform', budget, budget, own.predicted)] : []),
      point('profile', budget, allocations.profile[i].adcBits, allocations.profile[i].error),
      ...(['layers', 'planes'] as const).map((spread) => {
        const { adcBits, error, lowerBound } = allocations[spread][i];
        return point(spread, budget, adcBits, error, lowerBound);
      }),
    ];
  });
  const result: BudgetStudyResult = {
    ...describeStudy(model, dataset, { seed, calibration }),
    tileRows,
    iterations: iterations ?? postTrainingDefaults.iterations,
    patches: patches ?? postTrainingDefaults.patches,
    integer,
    sensitivities,
    points,
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}
