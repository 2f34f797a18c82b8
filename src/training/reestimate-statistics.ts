import type { PictureBatch } from '../data/batches';
import type { NetworkDescription, Parameters } from '../networks/description';
import { forwardTraining } from '../networks/forward-training';
import { type InferenceOptions, uploadParameters } from '../networks/inference';
import { pictureNormaliser } from '../networks/picture-normaliser';
import { dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { randomStream } from '../tensor/random';
import { createTape } from '../tensor/tape';

/**
 * Batch norm's running statistics measured anew: the plain mean over batches, with the weights as they are. Averaged or
 * rounded weights need it, since what a training's running statistics saw were other weights. The pictures should be
 * cropped as in that training: on CIFAR10 the borders that random crops add shift the statistics so much that a
 * ResNet-20 of 2- and 3-bit planes loses three points without them. Cutout hides what no test picture lacks.
 */
export function reestimateStatistics(
  network: NetworkDescription,
  parameters: Parameters,
  { mean, std }: InferenceOptions,
  batches: Iterable<PictureBatch>,
): Parameters {
  const tensors = uploadParameters(parameters);
  const normalise = pictureNormaliser(mean, std);
  const running = new Map<string, readonly [Tensor, Tensor]>();
  for (const { op, name } of network.nodes)
    if (op === 'batchnorm')
      running.set(name, [tensors.get(`${name}.running_mean`)!, tensors.get(`${name}.running_var`)!]);
  try {
    let count = 0;
    for (const batch of batches) {
      count++;
      scope(() => {
        const { pixels, height, width, channels } = batch;
        const shape = [batch.count, height, width, channels];
        forwardTraining(network, normalise(upload(pixels, shape)), {
          tape: createTape(),
          parameters: tensors,
          running,
          batchNormMomentum: 1 / count,
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
    }
    return result;
  } finally {
    for (const name of running.keys())
      for (const field of ['running_mean', 'running_var']) tensors.delete(`${name}.${field}`);
    dispose(...[...running.values()].flat(), ...tensors.values());
    normalise.dispose();
  }
}
