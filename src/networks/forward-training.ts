import * as d from '../tensor/differentiable';
import { DType, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { RandomStream } from '../tensor/random';
import type { Tape } from '../tensor/tape';
import type { BatchNormNode, NetworkDescription, Node } from './description';

/** What the training forward pass needs besides the picture. */
export interface TrainingContext {
  readonly tape: Tape;
  /** By parameter name: convolution weights HWIO in the precision of the pass, dense weights [in, out] and the rest float32. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** By batch-norm node: running mean and variance; replaced by the pass. */
  readonly running: Map<string, readonly [Tensor, Tensor]>;
  /** Batch norms use their running statistics, which stay, in place of the batch's. */
  readonly frozenBatchNorm?: boolean;
  /** Weight of a batch in the running statistics (PyTorch's `momentum`, usually 0.1). */
  readonly batchNormMomentum: number;
  /** For dropout. */
  readonly random: RandomStream;
  /** Takes the old and new running statistics of a node. */
  onRunning(node: string, statistics: readonly [Tensor, Tensor]): void;
  /** May replace a node's output by another tensor recorded on the tape (activation quantisation, probes). */
  readonly afterNode?: (node: Node, output: Tensor) => Tensor;
}

/** Logits [N, classes] in float32 of pictures x [N, H, W, C], recorded on the context's tape. */
export function forwardTraining(
  description: NetworkDescription,
  x: Tensor,
  context: TrainingContext,
): Tensor {
  const outputs = new Map<string, Tensor>([['input', x]]);
  let last = x;
  for (const node of description.nodes) {
    last = step(node, (name) => outputs.get(name)!, context);
    if (context.afterNode) last = context.afterNode(node, last);
    outputs.set(node.name, last);
  }
  return last;
}

function step(node: Node, output: (name: string) => Tensor, context: TrainingContext): Tensor {
  const { tape, parameters } = context;
  switch (node.op) {
    case 'conv': {
      const w = parameters.get(`${node.name}.weight`)!;
      const y = d.conv2d(tape, output(node.input), w, node, node.input !== 'input');
      if (!node.bias) return y;
      const bias = parameters.get(`${node.name}.bias`)!;
      return d.biasAdd(tape, y, y.dtype === bias.dtype ? bias : d.cast(tape, bias, y.dtype));
    }
    case 'batchnorm':
      return batchNorm(node, output(node.input), context);
    case 'relu':
      return d.relu(tape, output(node.input));
    case 'add':
      return d.add(tape, output(node.inputs[0]), output(node.inputs[1]));
    case 'maxpool': {
      const x = output(node.input);
      // The small pictures of progressive resizing can run out of pixels before the last pool.
      const fits = Math.min(x.shape[1], x.shape[2]) + 2 * node.padding >= node.kernel;
      return fits ? d.maxPool(tape, x, node.kernel, node.stride, node.padding) : x;
    }
    case 'subsample-pad':
      return d.subsamplePad(tape, output(node.input), node.stride, node.padChannels);
    case 'globalpool':
      return d.globalMean(tape, toFloat(tape, output(node.input)));
    case 'avgpool':
      return d.gridMean(tape, output(node.input), node.grid);
    case 'flatten':
      return flatten(tape, toFloat(tape, output(node.input)));
    case 'dropout':
      return dropout(tape, output(node.input), node.rate, context.random);
    case 'dense': {
      const bias = node.bias ? parameters.get(`${node.name}.bias`)! : undefined;
      return d.dense(tape, output(node.input), parameters.get(`${node.name}.weight`)!, bias);
    }
  }
}

function batchNorm(node: BatchNormNode, x: Tensor, context: TrainingContext): Tensor {
  const { tape } = context;
  const scale = context.parameters.get(`${node.name}.weight`)!;
  const offset = context.parameters.get(`${node.name}.bias`)!;
  const running = context.running.get(node.name)!;
  if (context.frozenBatchNorm) return d.frozenBatchNorm(tape, x, scale, offset, running, node.epsilon);
  const update = (mean: Tensor, variance: Tensor) => context.onRunning(node.name, [mean, variance]);
  return d.batchNorm(tape, x, scale, offset, running, node.epsilon, context.batchNormMomentum, update);
}

/** The head runs in float32: pooling sums many values, and the logits decide. */
function toFloat(tape: Tape, x: Tensor): Tensor {
  return x.dtype === DType.float32 ? x : d.cast(tape, x, DType.float32);
}

/** [N, H, W, C] -> [N, C*H*W], channel slowest as in PyTorch; a picture of one pixel needs no reordering. */
function flatten(tape: Tape, x: Tensor): Tensor {
  const [n, h, w, c] = x.shape;
  const ordered = h * w === 1 ? x : d.transpose(tape, x, [0, 3, 1, 2]);
  return d.reshape(tape, ordered, [n, c * h * w]);
}

function dropout(tape: Tape, x: Tensor, rate: number, random: RandomStream): Tensor {
  const count = x.shape.reduce((a, b) => a * b, 1);
  const factors = Float32Array.from({ length: count }, () => (random.uniform() < rate ? 0 : 1 / (1 - rate)));
  return d.mask(
    tape,
    x,
    scope(() => k.cast(upload(factors, x.shape), x.dtype)),
  );
}
