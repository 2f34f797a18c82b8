import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RangePolicy } from '../crossbar/adc-range';
import type { StepGranularity } from '../crossbar/adc-steps';
import type { DeviceModel } from '../crossbar/device-model';
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
  /** Test pictures for each circuit of varied cells, whose sums are real numbers; default 100. */
  readonly variedPictures?: number;
  /** Circuits drawn for each device; default 2. */
  readonly circuits?: number;
  /** Input vectors a layer in the comparison of readout schemes; default 256. */
  readonly readoutVectors?: number;
  readonly seed?: number;
  readonly onProgress?: OnProgress;
}

/** Cells that the networks are measured on. */
export interface StudiedDevice {
  readonly name: string;
  readonly title: string;
  /** Undefined: ideal. */
  readonly device?: DeviceModel;
}

export const studiedDevices: readonly StudiedDevice[] = [
  { name: 'ideal', title: 'ideal cells' },
  {
    name: 'varied',
    title: '10 % variation',
    device: { programming: { kind: 'proportional', sigma: 0.1 } },
  },
  { name: 'stuck', title: '1 % stuck cells', device: { stuckOff: 0.005, stuckOn: 0.005 } },
];

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
  /** The related readout schemes beside the plain ADC on the pruned network. */
  readonly readouts: ReadoutStudyResult;
  /** What the layers of both networks saw on some pictures with a 3-bit ADC. */
  readonly observed: Readonly<Record<'dense' | 'pruned', readonly LayerObservation[]>>;
}

/** Raise it when the same settings give other results. */
const REVISION = 1;

/** Pictures on which ranges are chosen and layers observed. */
const FEW = 16;

/** Accuracy against ADC bits of the dense and a pruned network, on ideal cells, varied ones and faulty ones. */
export function crossbarStudy(options: CrossbarStudyOptions): CrossbarStudyResult {
  const { model, pruned, dataset, folder, seed = 1, circuits = 2, onProgress } = options;
  const { adcBits = [1, 2, 3, 4, 5, 6, 7, 8], readoutVectors = 256 } = options;
  mkdirSync(folder, { recursive: true });
  const { test } = dataset;
  const all = Math.min(options.testPictures ?? test.count, test.count);
  const { clippedPictures = 1000, stuckPictures = 300, variedPictures = 100 } = options;
  const limitOf = ({ device }: StudiedDevice, lossless: boolean) => {
    if (device) return Math.min(device.programming ? variedPictures : stuckPictures, all);
    return lossless ? all : Math.min(clippedPictures, all);
  };
  const calibration = Math.min(256, dataset.train.count);
  const pictures = calibrationPictures(dataset.train, calibration, seed);
  const few = firstPictures(pictures, FEW);
  const dense = quantizedModel(model, dataset, pictures);
  const tileRows = pruned.network.pruning?.tileRows ?? 128;
  const networks: Record<StudiedNetwork['name'], IntegerNetwork> = {
    dense,
    'dense-calibrated': dense,
    'dense-columns': dense,
    pruned: pruned.network,
  };
  const prunedBits = certifyNetwork(pruned.network, tileRows).requiredAdcBits;
  const denseBits = certifyNetwork(dense, tileRows).requiredAdcBits;
  const required = {
    dense: denseBits,
    'dense-calibrated': denseBits,
    'dense-columns': denseBits,
    pruned: prunedBits,
  };
  const key = {
    revision: REVISION,
    model: model.identity,
    pruned: pruned.sha256,
    data: dataset.checksums,
    tileRows,
    seed,
  };
  const baselines = keptBaselines({ model, quantized: dense, dataset, folder, key, onProgress });
  const jobs = studiedDevices.flatMap((device) =>
    studiedNetworks.flatMap((network) => adcBits.map((adc) => ({ device, network, adcBits: adc }))),
  );
  const points = jobs.map(({ device, network, adcBits: adc }, i): CrossbarPoint => {
    const limit = limitOf(device, adc >= required[network.name] && !network.range);
    const seeds = Array.from({ length: device.device ? circuits : 1 }, (_, at) => seed + at);
    const name = `${network.name}-${device.name}-adc${adc}`;
    const { accuracy, bySeed } = cachedResult(folder, name, { ...key, network, device, seeds, limit }, () =>
      simulateNetwork(networks[network.name], test, {
        tileRows,
        adc: { bits: adc },
        range: network.range && {
          policy: network.range,
          granularity: network.granularity ?? 'layer',
          pictures: few,
        },
        circuit: device.device && { device: device.device },
        seeds,
        limit,
        onProgress: (p) => onProgress?.({ ...p, note: `${i + 1}/${jobs.length} ${name}: ${p.note ?? ''}` }),
      }),
    );
    return {
      network: network.name,
      device: device.name,
      adcBits: adc,
      accuracy,
      bySeed,
      ...dropsBelow(baselines(limit), accuracy),
    };
  });
  const observe = (network: IntegerNetwork) =>
    observeNetwork(network, few, { tileRows, adc: () => ({ bits: 3 }) });
  const result: CrossbarStudyResult = {
    ...describeStudy(model, dataset, { seed, calibration }),
    tileRows,
    pruned: pruned.name,
    prunedBits,
    denseBits,
    ...baselines(all),
    circuits,
    points,
    readouts: cachedResult(folder, 'readouts', { ...key, few: few.count, vectors: readoutVectors }, () =>
      readoutStudy({
        network: pruned.network,
        pictures: few,
        tileRows,
        seed,
        vectors: readoutVectors,
        onProgress: onProgress && ((p) => onProgress({ ...p, note: `readout schemes: ${p.note ?? ''}` })),
      }),
    ),
    observed: { dense: observe(dense), pruned: observe(pruned.network) },
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}
