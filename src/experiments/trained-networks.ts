import { join } from 'node:path';
import { readSafetensorsMetadata } from '../networks/read-safetensors';
import type { Figure } from '../reports/figure';
import { lines } from '../reports/lines';
import type { EpochRecord } from '../training/train';
import { modelFolder } from './open-model';
import type { Verification, VerifiedNetwork } from './verify-networks';

/** A verified network that was pruned in training, with what its file tells of that. */
export interface TrainedNetwork {
  readonly name: string;
  readonly verified: VerifiedNetwork;
  /** Percent on all test pictures, as its file records. */
  readonly recordedTop1: number;
  /** Curves of its training, epoch by epoch. */
  readonly admm: readonly EpochRecord[];
  /** Under frozen bits, or of the whole of a relaxed training. */
  readonly training: readonly TrainingEpoch[];
}

/** An epoch of a kept curve: percent on the augmented training pictures, and on test pictures where they were measured. */
export interface TrainingEpoch {
  readonly epoch: number;
  readonly trainAccuracy: number;
  readonly testAccuracy?: number | null;
}

/** Those of the verified networks that were pruned in training; their files are in `folder` (default: the package's). */
export function trainedNetworks(
  { networks }: Pick<Verification, 'networks'>,
  folder = modelFolder(),
): TrainedNetwork[] {
  return networks.flatMap((verified) => {
    const { name, kind } = verified;
    if (kind !== 'pruned') return [];
    const { curves, top1 } = readSafetensorsMetadata(join(folder, `${name}.safetensors`));
    if (curves === undefined) return [];
    const { admm = [], retraining, training = retraining } = JSON.parse(curves);
    return [{ name, verified, recordedTop1: JSON.parse(top1), admm, training }];
  });
}

/** Epochs and the accuracies after them, in percent. */
interface Points {
  readonly x: number[];
  readonly y: number[];
}

/** Test accuracies of a network's codes under way, at last that of the kept network. */
function tested({ recordedTop1, training }: TrainedNetwork): Points {
  const points = training.flatMap(({ epoch, testAccuracy }) =>
    typeof testAccuracy === 'number' ? [[epoch + 1, testAccuracy] as const] : [],
  );
  if (points.at(-1)?.[0] !== training.length) points.push([training.length, recordedTop1]);
  return { x: points.map(([epoch]) => epoch), y: points.map(([, top1]) => top1) };
}

/** Accuracies of each network while it was trained, on test and on training pictures, and ADMM's residuals where there was ADMM. */
export function trainedNetworksFigures(networks: readonly TrainedNetwork[]): Map<string, Figure> {
  const figures = new Map<string, Figure>();
  const accuracies = (title: string, pointsOf: (network: TrainedNetwork) => Points) =>
    lines({
      title,
      x: { title: 'epoch' },
      y: { title: 'top-1 (%)' },
      series: networks.map((network) => ({ name: network.name, ...pointsOf(network) })),
    });
  figures.set('03-training', accuracies('Test accuracy of the codes while the network was trained', tested));
  figures.set(
    '03-training-pictures',
    accuracies('Accuracy on the augmented training pictures', ({ training }) => ({
      x: training.map(({ epoch }) => epoch + 1),
      y: training.map(({ trainAccuracy }) => trainAccuracy),
    })),
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
