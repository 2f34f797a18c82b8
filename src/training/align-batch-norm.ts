import { meanPixel, type PictureBatch, trainingBatches } from '../data/batches';
import type { Dataset } from '../data/dataset';
import type { BatchNormNode, NetworkDescription, Parameters } from '../networks/description';
import { channelMap } from '../networks/fold-batch-norm';
import { type InferenceOptions, runNode, uploadParameters } from '../networks/inference';
import { lastUses } from '../networks/last-uses';
import { inputsOf } from '../networks/node-shapes';
import { pictureNormaliser } from '../networks/picture-normaliser';
import { batchNorm } from '../tensor/batch-norm-kernels';
import { dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';

/** Pictures that statistics are measured on, and how many at once. */
const PICTURES = 1024;
const BATCH = 32;

/**
 * Whether no batch norm of a trained network has a mean: some tools move the means into the biases. Such a network
 * computes the right thing, but training, which takes each batch's own mean off, would start from another function.
 */
export function lacksMeans({ nodes }: NetworkDescription, parameters: Parameters): boolean {
  const norms = nodes.filter(({ op }) => op === 'batchnorm');
  return (
    norms.length > 0 &&
    norms.every(({ name }) => parameters.get(`${name}.running_mean`)!.data.every((mean) => mean === 0))
  );
}

/**
 * A network whose batch norms lack means as one that can be trained further: their statistics are measured on augmented
 * training pictures, and scales and biases changed so that it computes the same as before. Others stay as they are.
 */
export function trainableParameters(
  network: NetworkDescription,
  parameters: Parameters,
  normalisation: InferenceOptions,
  dataset: Dataset,
  note: (line: string) => void,
): Parameters {
  if (!lacksMeans(network, parameters)) return parameters;
  const limit = Math.min(PICTURES, dataset.train.count);
  note(`batch norms have no means (they are in the biases): measured on ${limit} pictures`);
  const settings = { crop: 4, flip: true, fill: meanPixel(dataset), seed: 1, epoch: 0, limit };
  const batches = trainingBatches(dataset.train, { ...settings, batchSize: Math.min(BATCH, limit) });
  return alignBatchNorm(network, parameters, normalisation, batches);
}

/** The same function with statistics of the batches in every batch norm. */
export function alignBatchNorm(
  network: NetworkDescription,
  parameters: Parameters,
  { mean, std }: InferenceOptions,
  batches: Iterable<PictureBatch>,
): Parameters {
  const tensors = uploadParameters(parameters);
  const normalise = pictureNormaliser(mean, std);
  const measured = new Map<string, readonly [Tensor, Tensor]>();
  const last = lastUses(network);
  const norms = network.nodes.filter((node) => node.op === 'batchnorm');
  const maps = new Map(norms.map((norm) => [norm.name, affine(norm, parameters)]));
  let count = 0;
  const normalised = (node: BatchNormNode, x: Tensor): Tensor => {
    const [scale, offset, ...running] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (field) => tensors.get(`${node.name}.${field}`)!,
    );
    const before = measured.get(node.name) ?? (running as [Tensor, Tensor]);
    // The plain mean over the batches so far.
    const { runningMean, runningVariance } = batchNorm(x, scale, offset, before, node.epsilon, 1 / count);
    if (measured.has(node.name)) dispose(...before);
    measured.set(node.name, [keep(runningMean), keep(runningVariance)]);
    const { factor, shift } = maps.get(node.name)!;
    return k.add(k.multiply(x, upload(factor, [factor.length])), upload(shift, [shift.length]));
  };
  try {
    for (const { pixels, count: pictures, height, width, channels } of batches) {
      count++;
      scope(() => {
        const x = normalise(upload(pixels, [pictures, height, width, channels]));
        const outputs = new Map<string, Tensor>([['input', x]]);
        const output = (name: string) => outputs.get(name)!;
        network.nodes.forEach((node, i) => {
          const y =
            node.op === 'batchnorm' ? normalised(node, output(node.input)) : runNode(node, output, tensors);
          outputs.set(node.name, y);
          for (const name of inputsOf(node)) if (last.get(name) === i) dispose(output(name));
        });
        return undefined;
      });
    }
    const result: Parameters = new Map(parameters);
    for (const node of norms) {
      const found = measured.get(node.name);
      if (!found) continue;
      const [average, variance] = found.map(k.floats);
      const { factor, shift } = maps.get(node.name)!;
      const shape = [factor.length];
      const set = (field: string, data: Float32Array) => result.set(`${node.name}.${field}`, { shape, data });
      set('running_mean', average);
      set('running_var', variance);
      set(
        'weight',
        factor.map((value, c) => value * Math.sqrt(variance[c] + node.epsilon)),
      );
      set(
        'bias',
        shift.map((value, c) => value + factor[c] * average[c]),
      );
    }
    return result;
  } finally {
    for (const pair of measured.values()) dispose(...pair);
    dispose(...tensors.values());
    normalise.dispose();
  }
}

/** y = factor * x + shift of each channel, by the running statistics. */
function affine(norm: BatchNormNode, parameters: Parameters) {
  const { factor, mean, beta } = channelMap(norm, parameters);
  return {
    factor: Float32Array.from(factor),
    shift: Float32Array.from(beta, (value, c) => value - factor[c] * mean[c]),
  };
}
