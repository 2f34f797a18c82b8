import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PerPlane } from '../bitplanes/per-plane';
import { requiredAdcBits } from '../bitplanes/required-adc-bits';
import type { Dataset } from '../data/dataset';
import { InputError } from '../errors';
import type { AdcModelName } from '../hardware/adc-model';
import { type CostModel, costModel, designCost, mapScopes, type Scope } from '../hardware/design-cost';
import {
  type DefinedGain,
  gainsByDefinition,
  type Outcome,
  reportsByLaw,
  reportsByPreset,
  type ShareGain,
  shareGains,
} from '../hardware/efficiency-definitions';
import { gainSensitivity, type Sensitivity } from '../hardware/gain-sensitivity';
import { constantsAt, type HardwareConstants } from '../hardware/hardware-preset';
import { costDesigns, designRefusal, type HardwareReport } from '../hardware/hardware-report';
import type { Skipping } from '../hardware/input-activity';
import { FAIR_BASELINE, largestDrive } from '../hardware/map-designs';
import { type PublishedCheck, publishedChecks } from '../hardware/published-checks';
import { nodesOf } from '../hardware/technology-scaling';
import type { OnProgress } from '../progress';
import { adcBitsOf, adcBitsText, largestAdcBits } from '../quantization/adc-bits';
import type { IntegerNetwork } from '../quantization/integer-network';
import type { Accuracy } from '../training/evaluate';
import { integerAccuracy } from './accuracy';
import { cachedResult, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import { denseNetwork } from './dense-network';
import { networkActivity } from './network-activity';
import {
  type DesignSummary,
  type HardwareSummary,
  networkDesigns,
  rowLimitedDesign,
  summarizeDesign,
  summarizeHardware,
} from './network-hardware';
import type { FloatModel, IntegerModel } from './open-model';
import { quantizedModel } from './quantized-model';
import { modelChecksums } from './study';

export interface HardwareStudyOptions {
  /** Float networks that the pruned ones were made of; each pruned network takes that of its own description. */
  readonly dense: readonly FloatModel[];
  readonly pruned: readonly IntegerModel[];
  readonly dataset: Dataset;
  /** Where results are kept. */
  readonly folder: string;
  /** Default `sar-saberi`. */
  readonly adcModel?: AdcModelName;
  /** Default: those of the package. */
  readonly constants?: HardwareConstants;
  /** Test pictures for the accuracies; default all. */
  readonly testPictures?: number;
  /** Training pictures whose inputs are counted; default 16. */
  readonly activityPictures?: number;
  readonly seed?: number;
  readonly onProgress?: OnProgress;
}

/** Energy gains at the scopes under one cost model over the fair baseline, or why it does not answer. */
export interface ModelGain {
  readonly adcModel: AdcModelName;
  readonly refusal?: string;
  readonly gains?: Readonly<Record<Scope, number>>;
}

/** The same under the constants of a published design, and the pruned network's efficiency there. */
export interface PresetGain extends ModelGain {
  readonly preset: string;
  readonly topsPerW?: Readonly<Record<Scope, number>>;
}

/** One pruned network. */
export interface HardwareStudyNetwork {
  readonly name: string;
  readonly network: string;
  readonly tileRows: number;
  readonly adcBits: string;
  readonly sha256: string;
  /** Top-1 on real test pictures; absent where there are none. */
  readonly accuracy?: { readonly dense: Accuracy; readonly pruned: Accuracy };
  /** One copy of each layer, every input bit driven. */
  readonly report: HardwareReport;
  /** Pipelines balanced with copies, every design within the same arrays. */
  readonly balanced: HardwareSummary & { readonly arrayBudget: number };
  /** Zero inputs skipped in all designs alike; absent without real pictures. */
  readonly skipping?: { readonly inputBits: HardwareSummary; readonly rows: HardwareSummary };
  /** The unpruned network driven as few rows at a time as ADCs of so many bits read, from one row up to all. */
  readonly rowLimited: readonly (DesignSummary & { readonly adcBits: number })[];
  readonly definitions: readonly DefinedGain[];
  readonly laws: readonly ModelGain[];
  readonly presets: readonly PresetGain[];
  readonly shares: readonly ShareGain[];
  /** Of the gains over the fair baseline; empty where the ADC model does not answer for it. */
  readonly sensitivity: readonly Sensitivity[];
}

export interface HardwareStudyResult {
  readonly dataset: string;
  readonly realData: boolean;
  readonly seed: number;
  readonly adcModel: AdcModelName;
  /** Technology nodes of the constants, nm. */
  readonly nodes: readonly number[];
  /** The baseline of sensitivity and laws. */
  readonly baseline: string;
  readonly networks: readonly HardwareStudyNetwork[];
  readonly checks: readonly PublishedCheck[];
  readonly checksums: Readonly<Record<string, string>>;
}

/** Arrays of the balanced pipelines, in multiples of what the largest design takes with one copy of each layer. */
const BUDGET = 4;

/** Raise it when the same settings give other accuracies. */
const REVISION = 1;

/** What pruned networks cost beside their baselines, under each definition of efficiency and each ADC law. */
export function hardwareStudy(options: HardwareStudyOptions): HardwareStudyResult {
  const { dense, pruned, dataset, folder, adcModel = 'sar-saberi', seed = 1, onProgress } = options;
  const { constants = constantsAt() } = options;
  mkdirSync(folder, { recursive: true });
  const networks = pruned.map((model, i) => {
    onProgress?.({ done: i, total: pruned.length, note: model.name });
    return studyNetwork(model, denseOf(model, dense), { ...options, adcModel, seed });
  });
  const result: HardwareStudyResult = {
    dataset: dataset.title,
    realData: dataset.real,
    seed,
    adcModel,
    nodes: nodesOf(new Map([...constants.adc, ...constants.tile])),
    baseline: FAIR_BASELINE,
    networks,
    checks: publishedChecks(),
    checksums: {
      ...dataset.checksums,
      ...modelChecksums([...dense, ...pruned]),
    },
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}

function denseOf({ network, path }: IntegerModel, dense: readonly FloatModel[]): FloatModel {
  const own = dense.find(({ description }) => description.name === network.description.name);
  if (own) return own;
  throw new InputError(`${path}: no unpruned ${network.description.name} to compare with was given`);
}

function studyNetwork(
  { name, sha256, network }: IntegerModel,
  model: FloatModel,
  options: HardwareStudyOptions & { readonly adcModel: AdcModelName; readonly seed: number },
): HardwareStudyNetwork {
  const { pruning } = network;
  if (!pruning) throw new InputError(`${name}: not a pruned network; \`cim-pruning prune\` makes one`);
  const { dataset, adcModel, constants = constantsAt() } = options;
  const { tileRows } = pruning;
  const dense = unpruned(network, model, options);
  const adcBits = (layer: string) => adcBitsOf(pruning.adcBits, layer);
  const designs = networkDesigns(network, { tileRows, dense, adcBits });
  const cost = costModel(adcModel, constants);
  const report = costDesigns(designs, cost);
  const arrayBudget =
    BUDGET * Math.max(report.pruned.arrays, ...report.baselines.map((baseline) => baseline.cost.arrays));
  const laws = reportsByLaw(designs, constants);
  const bits = largestAdcBits(pruning.adcBits);
  return {
    name,
    network: network.description.name,
    tileRows,
    adcBits: adcBitsText(pruning.adcBits),
    sha256,
    ...(dataset.real && { accuracy: accuracies({ name, sha256, network }, model, dense, options) }),
    report,
    balanced: { ...summarizeHardware(costDesigns(designs, cost, { arrayBudget })), arrayBudget },
    ...(dataset.real && { skipping: skippings(network, dense, adcBits, options) }),
    rowLimited: rowLimitedByBits(network, dense, cost),
    definitions: gainsByDefinition(
      laws,
      adcModel,
      designs.slice(1).map(({ name }) => name),
    ),
    laws: laws.map(modelGain),
    presets: [...reportsByPreset(designs)].map(([preset, outcome]) => ({
      preset,
      ...modelGain(outcome),
      topsPerW: outcome.report && summarizeDesign(outcome.report.pruned).topsPerW,
    })),
    shares: shareGains(bits, constants),
    sensitivity: report.leftOut.some(({ name }) => name === FAIR_BASELINE)
      ? []
      : gainSensitivity(designs, { adcModel, constants, baseline: FAIR_BASELINE }),
  };
}

function modelGain({ adcModel, refusal, report }: Outcome): ModelGain {
  const fair = report?.baselines.find(({ cost }) => cost.name === FAIR_BASELINE);
  if (fair) return { adcModel, gains: mapScopes((scope) => fair.gains[scope].energy) };
  return { adcModel, refusal: refusal ?? report?.leftOut.find(({ name }) => name === FAIR_BASELINE)?.reason };
}

function rowLimitedByBits(network: IntegerNetwork, dense: IntegerNetwork, cost: CostModel) {
  const { tileRows } = network.pruning!;
  const drive = largestDrive(network.pruning!);
  const lowest = requiredAdcBits(drive);
  const everyBits = Array.from(
    { length: requiredAdcBits(tileRows * drive) - lowest + 1 },
    (_, i) => lowest + i,
  );
  return everyBits.flatMap((adcBits) => {
    const design = rowLimitedDesign(network, { tileRows, dense, adcBits: () => adcBits });
    if (designRefusal(design, cost) !== undefined) return [];
    return [{ adcBits, ...summarizeDesign(designCost(design.name, design.layers, cost)) }];
  });
}

/** The float model as an integer network: calibrated where there are pictures. */
function unpruned(
  network: IntegerNetwork,
  model: FloatModel,
  { dataset, seed }: { readonly dataset: Dataset; readonly seed: number },
): IntegerNetwork {
  if (!dataset.real) return denseNetwork(model, network);
  const pictures = calibrationPictures(dataset.train, Math.min(256, dataset.train.count), seed);
  return quantizedModel(model, dataset, pictures, { weightBits: network.weightBits, inputBits: 8 });
}

function accuracies(
  { name, sha256, network }: Pick<IntegerModel, 'name' | 'sha256' | 'network'>,
  { identity }: FloatModel,
  dense: IntegerNetwork,
  { dataset, folder, testPictures, seed, onProgress }: HardwareStudyOptions,
) {
  const measure = (which: string, model: string, measured: IntegerNetwork) =>
    cachedResult(
      folder,
      `accuracy-${which}`,
      { REVISION, model, seed, testPictures, data: dataset.checksums },
      () => integerAccuracy(measured, dataset.test, { limit: testPictures, onProgress }),
    );
  return {
    dense: measure(`${name}-dense`, identity, dense),
    pruned: measure(name, sha256, network),
  };
}

function skippings(
  network: IntegerNetwork,
  dense: IntegerNetwork,
  adcBits: (layer: string) => PerPlane,
  options: HardwareStudyOptions & { readonly seed: number },
) {
  const { dataset, activityPictures = 16, adcModel, constants = constantsAt(), seed } = options;
  const { tileRows, dacBits } = network.pruning!;
  const pictures = calibrationPictures(dataset.train, activityPictures, seed);
  const activity = networkActivity(network, pictures, tileRows);
  const denseActivity = networkActivity(dense, pictures, tileRows, dacBits);
  const summary = (skip: Skipping) =>
    summarizeHardware(
      costDesigns(
        networkDesigns(network, { tileRows, dense, adcBits, skip, activity, denseActivity }),
        costModel(adcModel, constants),
      ),
    );
  return { inputBits: summary({ inputBits: true }), rows: summary({ rows: true }) };
}
