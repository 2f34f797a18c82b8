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
  readonly training: readonly { readonly epoch: number; readonly testAccuracy?: number | null }[];
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
