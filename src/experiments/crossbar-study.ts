import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RangePolicy } from '../crossbar/adc-range';
import type { StepGranularity } from '../crossbar/adc-steps';
import { type LayerObservation, observeNetwork } from '../crossbar/network-statistics';
import type { Dataset } from '../data/dataset';
import { firstPictures } from '../networks/first-pictures';
import type { OnProgress } from '../progress';
import type { IntegerNetwork } from '../quantization/integer-network';
import type { Accuracy } from '../training/evaluate';
import { dropsBelow, keptBaselines } from './baselines';
import { cachedResult, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import { certifyNetwork } from './certify-network';
import type { FloatModel, IntegerModel } from './open-model';
import { quantizedModel } from './quantized-model';
import { type ReadoutStudyResult, readoutStudy } from './readout-study';
import { type Simulation, simulateNetwork } from './simulate-network';
import { deviceAt, errorKinds, type StudiedDevice, studiedDevices } from './studied-devices';
import { describeStudy, type Study } from './study';

export interface CrossbarStudyOptions {
  readonly model: FloatModel;
  /** A pruned network of the same data. */
  readonly pruned: IntegerModel;
  readonly dataset: Dataset;
  /** Where results are kept; what is there from the same settings is not computed again. */
  readonly folder: string;
  /** Default 1 to 8. */
  readonly adcBits?: readonly number[];
  /** Test pictures where nothing can clip, which is one integer product; default all. */
  readonly testPictures?: number;
  /** Test pictures where conversions are made one by one; default 1000. */
  readonly clippedPictures?: number;
  /** Test pictures for each circuit of stuck cells; default 300. */
  readonly stuckPictures?: number;
  /** Test pictures for each circuit of varied cells, whose sums are real numbers, or of ADCs that err; default 100. */
  readonly variedPictures?: number;
  /** Circuits drawn for each device; default 3. */
  readonly circuits?: number;
  /** Input vectors a layer in the comparison of readout schemes; default 256. */
  readonly readoutVectors?: number;
  readonly seed?: number;
  readonly onProgress?: OnProgress;
}

/** A network with the way its ADCs' ranges are set. */
export interface StudiedNetwork {
  readonly name: 'dense' | 'dense-calibrated' | 'dense-columns' | 'pruned';
  readonly title: string;
  /** Absent: one code counts one cell. */
  readonly range?: RangePolicy;
  /** What shares a range; default `layer`. */
  readonly granularity?: StepGranularity;
}

export const studiedNetworks: readonly StudiedNetwork[] = [
  { name: 'dense', title: 'dense, step 1' },
  { name: 'dense-calibrated', title: 'dense, calibrated range', range: { policy: 'minimum-mse' } },
  {
    name: 'dense-columns',
    title: 'dense, calibrated by column',
    range: { policy: 'minimum-mse' },
    granularity: 'column',
  },
  { name: 'pruned', title: 'pruned' },
];

/** What is measured on circuits that err; at more bits than ideal crossbars need, accuracies hardly differ. */
const ON_CIRCUITS: {
  readonly networks: readonly StudiedNetwork['name'][];
  readonly adcBits: readonly number[];
} = { networks: ['dense', 'dense-columns', 'pruned'], adcBits: [2, 3, 4, 6] };

export interface CrossbarPoint {
  readonly network: StudiedNetwork['name'];
  readonly device: string;
  readonly adcBits: number;
  readonly accuracy: Accuracy;
  readonly bySeed: Simulation['bySeed'];
  /** Points below the float network on the same pictures, and below the 8-bit one. */
  readonly dropFromFloat: number;
  readonly dropFrom8bit: number;
}

/** A point at one level of a kind of error. */
export interface SeverityPoint extends CrossbarPoint {
  /** Name of the kind. */
  readonly kind: string;
  readonly level: number;
}

export interface CrossbarStudyResult extends Study {
  readonly tileRows: number;
  /** Name of the pruned model's file, and the ADC bits its codes need. */
  readonly pruned: string;
  readonly prunedBits: number;
  readonly denseBits: number;
  readonly float: Accuracy;
  readonly integer: Accuracy;
  readonly circuits: number;
  readonly points: readonly CrossbarPoint[];
  /** The pruned network and the dense one with as many ADC bits, and the dense one with lossless ADCs, by severity. */
  readonly severities: readonly SeverityPoint[];
  /** The related readout schemes beside the plain ADC on the pruned network. */
  readonly readouts: ReadoutStudyResult;
  /** What the layers of both networks saw on some pictures with a 3-bit ADC. */
  readonly observed: Readonly<Record<'dense' | 'pruned', readonly LayerObservation[]>>;
}

/** Raise it when the same settings give other results. */
const REVISION = 1;

/** Pictures on which ranges are chosen and layers observed. */
const FEW = 16;

/** Accuracy against ADC bits of the dense and a pruned network, on ideal crossbars and on circuits that err. */
export function crossbarStudy(options: CrossbarStudyOptions): CrossbarStudyResult {
  const { model, dataset, folder } = options;
  mkdirSync(folder, { recursive: true });
  const bench = openBench(options);
  const { settings, seed, pruned, dense, few } = bench;
  const jobs = jobsOf(settings);
  const severe = severityJobs(bench);
  const count = jobs.length + severe.length;
  const points = jobs.map((job, i) => measurePoint(bench, job, `${i + 1}/${count}`));
  const severities = severe.map(({ kind, level, ...job }, i) => ({
    kind,
    level,
    ...measurePoint(bench, job, `${jobs.length + i + 1}/${count}`),
  }));
  const observe = (network: IntegerNetwork) =>
    observeNetwork(network, few, { tileRows: bench.tileRows, adc: () => ({ bits: 3 }) });
  const result: CrossbarStudyResult = {
    ...describeStudy(model, dataset, { seed, calibration: bench.calibration }),
    tileRows: bench.tileRows,
    pruned: pruned.name,
    prunedBits: bench.required.pruned,
    denseBits: bench.required.dense,
    ...bench.baselines(bench.all),
    circuits: settings.circuits,
    points,
    severities,
    readouts: comparedReadouts(bench),
    observed: { dense: observe(dense), pruned: observe(pruned.network) },
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}

type Bench = ReturnType<typeof openBench>;

/** What every point is measured with. */
function openBench(options: CrossbarStudyOptions) {
  const { model, pruned, dataset, folder, seed = 1, onProgress } = options;
  const settings = {
    adcBits: options.adcBits ?? [1, 2, 3, 4, 5, 6, 7, 8],
    clippedPictures: options.clippedPictures ?? 1000,
    stuckPictures: options.stuckPictures ?? 300,
    variedPictures: options.variedPictures ?? 100,
    circuits: options.circuits ?? 3,
    readoutVectors: options.readoutVectors ?? 256,
  };
  const calibration = Math.min(256, dataset.train.count);
  const pictures = calibrationPictures(dataset.train, calibration, seed);
  const dense = quantizedModel(model, dataset, pictures);
  const tileRows = pruned.network.pruning?.tileRows ?? 128;
  const key = {
    revision: REVISION,
    model: model.identity,
    pruned: pruned.sha256,
    data: dataset.checksums,
    tileRows,
    seed,
  };
  return {
    settings,
    dataset,
    folder,
    seed,
    onProgress,
    calibration,
    few: firstPictures(pictures, FEW),
    all: Math.min(options.testPictures ?? dataset.test.count, dataset.test.count),
    dense,
    pruned,
    tileRows,
    required: {
      dense: certifyNetwork(dense, tileRows).requiredAdcBits,
      pruned: certifyNetwork(pruned.network, tileRows).requiredAdcBits,
    },
    key,
    baselines: keptBaselines({ model, quantized: dense, dataset, folder, key, onProgress }),
  };
}

interface Job {
  readonly device: StudiedDevice;
  readonly network: StudiedNetwork;
  readonly adcBits: number;
}

/** Everything on ideal crossbars; on circuits that err what can differ there. */
function jobsOf({ adcBits }: { readonly adcBits: readonly number[] }): Job[] {
  return studiedDevices.flatMap((device) => {
    const ideal = !errs(device);
    const networks = studiedNetworks.filter(({ name }) => ideal || ON_CIRCUITS.networks.includes(name));
    const resolutions = adcBits.filter((bits) => ideal || ON_CIRCUITS.adcBits.includes(bits));
    return networks.flatMap((network) => resolutions.map((bits) => ({ device, network, adcBits: bits })));
  });
}

/** What is measured at every level of every kind of error, the usual ones among them. */
function severityJobs({ required }: Bench): (Job & Pick<SeverityPoint, 'kind' | 'level'>)[] {
  const subjects = studiedNetworks
    .filter(({ name }) => ON_CIRCUITS.networks.includes(name))
    .map((network) => ({
      network,
      adcBits: network.name === 'dense' ? required.dense : required.pruned,
    }));
  return errorKinds.flatMap((kind) =>
    kind.levels.flatMap((level) =>
      subjects.map((subject) => ({ kind: kind.name, level, device: deviceAt(kind, level), ...subject })),
    ),
  );
}

const errs = ({ device, converter }: StudiedDevice) => device !== undefined || converter !== undefined;

function measurePoint(bench: Bench, { device, network, adcBits }: Job, at: string): CrossbarPoint {
  const { settings, tileRows, few, key, seed } = bench;
  const subject = network.name === 'pruned' ? bench.pruned.network : bench.dense;
  const limit = limitOf(bench, { device, network, adcBits });
  const seeds = Array.from({ length: errs(device) ? settings.circuits : 1 }, (_, i) => seed + i);
  const name = `${network.name}-${device.name}-adc${adcBits}`;
  const { accuracy, bySeed } = cachedResult(
    bench.folder,
    name,
    { ...key, network, device, seeds, limit },
    () =>
      simulateNetwork(subject, bench.dataset.test, {
        tileRows,
        adc: { bits: adcBits },
        range: network.range && {
          policy: network.range,
          granularity: network.granularity ?? 'layer',
          pictures: few,
        },
        circuit: errs(device) ? { device: device.device, converter: device.converter } : undefined,
        seeds,
        limit,
        onProgress: (p) => bench.onProgress?.({ ...p, note: `${at} ${name}: ${p.note ?? ''}` }),
      }),
  );
  return {
    network: network.name,
    device: device.name,
    adcBits,
    accuracy,
    bySeed,
    ...dropsBelow(bench.baselines(limit), accuracy),
  };
}

/** Test pictures of a point: the fewer, the more its conversions cost. */
function limitOf({ settings, required, all }: Bench, { device, network, adcBits }: Job): number {
  const most = (count: number) => Math.min(count, all);
  if (device.device?.programming || device.converter) return most(settings.variedPictures);
  if (device.device) return most(settings.stuckPictures);
  const needed = network.name === 'pruned' ? required.pruned : required.dense;
  return adcBits >= needed && !network.range ? all : most(settings.clippedPictures);
}

function comparedReadouts({ folder, key, few, settings, pruned, tileRows, seed, onProgress }: Bench) {
  const vectors = settings.readoutVectors;
  return cachedResult(folder, 'readouts', { ...key, few: few.count, vectors }, () =>
    readoutStudy({
      network: pruned.network,
      pictures: few,
      tileRows,
      seed,
      vectors,
      onProgress: onProgress && ((p) => onProgress({ ...p, note: `readout schemes: ${p.note ?? ''}` })),
    }),
  );
}
