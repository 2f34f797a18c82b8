import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset';
import { readSafetensorsMetadata } from '../networks/read-safetensors';
import type { OnProgress } from '../progress';
import { type AdcBits, adcBitsText } from '../quantization/adc-bits';
import { isIntegerNetwork } from '../quantization/model-file';
import type { Figure } from '../reports/figure';
import { lines } from '../reports/lines';
import type { Table } from '../reports/table';
import type { Accuracy } from '../training/evaluate';
import type { EpochRecord } from '../training/train';
import { integerAccuracy } from './accuracy';
import { certifyNetwork } from './certify-network';
import { modelFolder, openIntegerModel } from './open-model';

/** A network pruned by training that comes with the package, checked anew. */
export interface TrainedNetwork {
  readonly name: string;
  readonly method: string;
  readonly tileRows: number;
  readonly adcBits: AdcBits;
  /** Measured now on all test pictures. */
  readonly accuracy: Accuracy;
  /** Percent, as its file records. */
  readonly recordedTop1: number;
  /** Of the float network that it was pruned from, percent on the same pictures. */
  readonly floatTop1: number;
  /** Of that network in 8 bits, not pruned. */
  readonly integerTop1: number;
  readonly lossless: boolean;
  readonly nonzeroShare: number;
  readonly seed: number;
  /** Curves of its training, epoch by epoch. */
  readonly admm: readonly EpochRecord[];
  /** Under frozen bits, or of the whole of a relaxed training. */
  readonly training: readonly { readonly epoch: number; readonly testAccuracy?: number | null }[];
}

/** Names of the pruned networks in a folder. */
export function prunedNetworkFiles(folder = modelFolder()): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => join(folder, name))
    .filter((path) => {
      const metadata = readSafetensorsMetadata(path);
      return isIntegerNetwork(metadata) && metadata.curves !== undefined;
    })
    .sort();
}

/** Recounts and measures every network pruned by training in `folder` (default: those that come with the package). */
export function checkTrainedNetworks(
  dataset: Dataset,
  options: { readonly folder?: string; readonly limit?: number; readonly onProgress?: OnProgress } = {},
): TrainedNetwork[] {
  return prunedNetworkFiles(options.folder).map((path) => {
    const { name, network } = openIntegerModel(path);
    const metadata = readSafetensorsMetadata(path);
    const { admm = [], retraining, training = retraining } = JSON.parse(metadata.curves);
    const certificate = certifyNetwork(network);
    return {
      name,
      method: network.pruning!.method,
      tileRows: network.pruning!.tileRows,
      adcBits: network.pruning!.adcBits,
      accuracy: integerAccuracy(network, dataset.test, {
        limit: options.limit,
        onProgress: (p) => options.onProgress?.({ ...p, note: `${name}: ${p.note}` }),
      }),
      recordedTop1: JSON.parse(metadata.top1),
      floatTop1: JSON.parse(metadata.floatTop1),
      integerTop1: JSON.parse(metadata.integerTop1),
      lossless: certificate.lossless,
      nonzeroShare: certificate.nonzeroShare,
      seed: JSON.parse(metadata.settings).seed,
      admm,
      training,
    };
  });
}

export function trainedNetworksTable(networks: readonly TrainedNetwork[]): Table {
  return {
    title:
      'Networks pruned by training: 8-bit weights and 8-bit activations, sign-split, all test pictures, lossless ADC',
    columns: [
      { key: 'name', label: 'network' },
      { key: 'method', label: 'method' },
      { key: 'tileRows', label: 'R' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'top1', label: 'top-1', unit: '%', digits: 2 },
      { key: 'interval', label: '+-', digits: 2 },
      { key: 'floatDrop', label: 'drop from float', digits: 2 },
      { key: 'integerDrop', label: 'drop from 8-bit', digits: 2 },
      { key: 'kept', label: 'weights kept', unit: '%', digits: 1 },
      { key: 'epochs', label: 'epochs (ADMM + training)' },
      { key: 'lossless', label: 'lossless' },
      { key: 'seed', label: 'seed' },
    ],
    rows: networks.map((network) => ({
      name: network.name,
      method: network.method,
      tileRows: network.tileRows,
      adcBits: adcBitsText(network.adcBits),
      top1: network.accuracy.top1,
      interval: network.accuracy.interval,
      floatDrop: network.floatTop1 - network.accuracy.top1,
      integerDrop: network.integerTop1 - network.accuracy.top1,
      kept: 100 * network.nonzeroShare,
      epochs: `${network.admm.length} + ${network.training.length}`,
      lossless: network.lossless ? 'yes' : 'NO',
      seed: network.seed,
    })),
  };
}

/** Test accuracy of each network's codes while it was trained, and ADMM's residuals where there was ADMM. */
export function trainedNetworksFigures(networks: readonly TrainedNetwork[]): Map<string, Figure> {
  const figures = new Map<string, Figure>();
  figures.set(
    '03-training',
    lines({
      title: 'Test accuracy of the codes while the network was trained',
      x: { title: 'epoch' },
      y: { title: 'top-1 (%)' },
      series: networks.map(({ name, training }) => {
        const tested = training.filter(({ testAccuracy }) => typeof testAccuracy === 'number');
        return {
          name,
          x: tested.map(({ epoch }) => epoch + 1),
          y: tested.map(({ testAccuracy }) => testAccuracy!),
        };
      }),
    }),
  );
  const withAdmm = networks.filter(({ admm }) => admm.length > 0);
  if (withAdmm.length === 0) return figures;
  const residuals = (['primalResidual', 'dualResidual'] as const).flatMap((field) =>
    withAdmm.map(({ name, admm }) => ({
      name: `${name}, ${field === 'primalResidual' ? 'primal' : 'dual'}`,
      x: admm.map(({ epoch }) => epoch + 1),
      y: admm.map(({ steering }) => steering?.[field] ?? Number.NaN),
    })),
  );
  figures.set(
    '03-residuals',
    lines({
      title: 'Relative residuals of network ADMM, mean over the layers',
      x: { title: 'epoch' },
      y: { title: 'relative residual', scale: 'log' },
      series: residuals,
    }),
  );
  return figures;
}
