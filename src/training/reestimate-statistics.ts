import { evaluationBatches } from '../data/batches';
import type { PictureSet } from '../data/dataset';
import type { NetworkDescription, Parameters } from '../networks/description';
import { forwardTraining } from '../networks/forward-training';
import { type InferenceOptions, uploadParameters } from '../networks/inference';
import { pictureNormaliser } from '../networks/picture-normaliser';
import { dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { randomStream } from '../tensor/random';
import { createTape } from '../tensor/tape';

export interface ReestimationOptions {
  /** Training pictures looked at, from the first on. */
  readonly pictures: number;
  readonly batchSize?: number;
}

/**
 * Batch norm's running statistics measured anew: the plain mean over batches of unaugmented pictures, with the weights as
 * they are. Averaged or rounded weights need it, since what a training's running statistics saw were other weights.
 */
export function reestimateStatistics(
  network: NetworkDescription,
  parameters: Parameters,
  { mean, std }: InferenceOptions,
  set: PictureSet,
  { pictures, batchSize = 250 }: ReestimationOptions,
): Parameters {
  const tensors = uploadParameters(parameters);
  const normalise = pictureNormaliser(mean, std);
  const running = new Map<string, readonly [Tensor, Tensor]>();
  for (const { op, name } of network.nodes)
    if (op === 'batchnorm')
      running.set(name, [tensors.get(`${name}.running_mean`)!, tensors.get(`${name}.running_var`)!]);
  let batches = 0;
  for (const batch of evaluationBatches(set, { batchSize, limit: pictures })) {
    batches++;
    scope(() => {
      const { pixels, count, height, width, channels } = batch;
      forwardTraining(network, normalise(upload(pixels, [count, height, width, channels])), {
        tape: createTape(),
        parameters: tensors,
        running,
        batchNormMomentum: 1 / batches,
        random: randomStream(1, 'dropout'),
        onRunning: (node, statistics) => {
          dispose(...running.get(node)!);
          for (const tensor of statistics) keep(tensor);
          running.set(node, statistics);
        },
      });
      return undefined;
    });
  }
  const result: Parameters = new Map(parameters);
  for (const [name, [average, variance]] of running) {
    const { shape } = parameters.get(`${name}.running_mean`)!;
    result.set(`${name}.running_mean`, { shape, data: k.floats(average) });
    result.set(`${name}.running_var`, { shape, data: k.floats(variance) });
    for (const field of ['running_mean', 'running_var']) tensors.delete(`${name}.${field}`);
    dispose(average, variance);
  }
  dispose(...tensors.values());
  normalise.dispose();
  return result;
}
