import * as convolutions from '../tensor/convolution-kernels';
import { DType, dispose, isNativeEngine, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { convByPatches, convolvesByPatches, patchesOf } from '../tensor/patches';
import { winogradConv, winogradKernel, winogradSide } from '../tensor/winograd';
import type { ConvNode, DenseNode, NetworkDescription, Node, Parameters } from './description';
import { type JoinedLayer, joinedLayers } from './joined-layers';
import { lastUses } from './last-uses';
import { inputsOf } from './node-shapes';
import { pictureNormaliser } from './picture-normaliser';
import { tensorFlowShape, toTensorFlow } from './weight-layout';

/** uint8 pictures [count, height, width, channels]. */
export interface Pictures {
  readonly pixels: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A network ready to classify; batch norm must be folded. */
export interface Inference {
  /** [count, classes], row by row. */
  logits(pictures: Pictures): Float32Array;
  dispose(): void;
}

export interface InferenceOptions {
  /** Per channel, of pixels / 255. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Of the convolutions; sums, head and logits are float32 either way. Default float32. */
export type Precision = 'float32' | 'bfloat16';

/**
 * Loads a folded network into the engine. The native one computes wide 3x3 layers on small pictures by Winograd's
 * filtering (float32; off by about 1e-5 of the outputs' size), and additions and ReLUs within the convolution before
 * them; not where hooks look on. In bfloat16 logits are off by about a hundredth: good enough for a teacher, and some four
 * times faster on processors that multiply it fast.
 */
export function createInference(
  description: NetworkDescription,
  parameters: Parameters,
  options: InferenceOptions & ForwardHooks & { readonly precision?: Precision },
): Inference {
  const compute = options.precision === 'bfloat16' ? DType.bfloat16 : DType.float32;
  const convolutions = new Set(description.nodes.filter(({ op }) => op === 'conv').map(({ name }) => name));
  const tensors = uploadParameters(parameters, (node) => (convolutions.has(node) ? compute : DType.float32));
  const kernels = new Map<string, Tensor>();
  const plain = options.layer || options.afterNode || !isNativeEngine();
  const hooks: ForwardHooks = plain
    ? options
    : {
        joined: joinedLayers(description),
        layer: (node, x, end) => fastLayer(node, x, end, tensors, kernels),
      };
  const normalise = pictureNormaliser(options.mean, options.std, compute);
  return {
    logits: ({ pixels, count, height, width, channels }) =>
      scope(() => {
        const x = normalise(upload(pixels, [count, height, width, channels]));
        return k.floats(forward(description, tensors, x, hooks));
      }),
    dispose() {
      normalise.dispose();
      dispose(...tensors.values(), ...kernels.values());
    },
  };
}

/** A layer and its end by what is fastest; kernels transformed for Winograd's filtering are kept in `kernels`. */
function fastLayer(
  node: ConvNode | DenseNode,
  x: Tensor,
  end: convolutions.ConvEnd,
  parameters: ReadonlyMap<string, Tensor>,
  kernels: Map<string, Tensor>,
): Tensor {
  const w = parameters.get(`${node.name}.weight`)!;
  const bias = parameters.get(`${node.name}.bias`);
  return scope(() => {
    if (node.op === 'dense' || !bias) return runNode(node, () => x, parameters);
    const side = winogradSide(x, w, node);
    if (side) {
      const name = `${node.name} ${side}`;
      const kernel = kernels.get(name) ?? keep(winogradKernel(w, side));
      kernels.set(name, kernel);
      return convolutions.endConvolution(k.biasAdd(winogradConv(x, kernel, side).y, bias), end);
    }
    if (convolvesByPatches(x, w, node)) {
      const y = convByPatches(patchesOf(x, w.shape[0], node), w, x.shape);
      return convolutions.endConvolution(k.biasAdd(y, bias), end);
    }
    return convolutions.conv2dBias(x, w, bias, node, end);
  });
}

/** Parameters in the engine, in TensorFlow's layouts and the type of their node (float32); the caller frees them. */
export function uploadParameters(
  parameters: Parameters,
  typeOf: (node: string) => DType = () => DType.float32,
): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { data, shape }] of parameters) {
    const node = name.slice(0, name.lastIndexOf('.'));
    const make = () => toType(upload(toTensorFlow(data, shape), tensorFlowShape(shape)), typeOf(node));
    tensors.set(name, keep(scope(make)));
  }
  return tensors;
}

const toType = (x: Tensor, dtype: DType) => (x.dtype === dtype ? x : k.cast(x, dtype));

/** Ways into the forward pass for quantisation, crossbars and probes. */
export interface ForwardHooks {
  /** Computes a convolution or dense layer in place of the engine, bias included, and what is `joined` to it. */
  readonly layer?: (node: ConvNode | DenseNode, input: Tensor, end: convolutions.ConvEnd) => Tensor;
  /** May look at or replace a node's output, which is freed once its last reader has run. */
  readonly afterNode?: (node: Node, output: Tensor) => Tensor;
  /** Convolutions of which `layer` does the end too. */
  readonly joined?: ReadonlyMap<string, JoinedLayer>;
}

/** Logits of x [N, H, W, C] (normalised, or whatever `hooks.layer` takes). Call it within a scope. */
export function forward(
  description: NetworkDescription,
  parameters: ReadonlyMap<string, Tensor>,
  x: Tensor,
  hooks: ForwardHooks = {},
): Tensor {
  const lastUse = lastUses(description);
  const done = new Set([...(hooks.joined?.values() ?? [])].flatMap(({ nodes }) => nodes));
  const outputs = new Map<string, Tensor>([['input', x]]);
  const output = (name: string) => outputs.get(name)!;
  let last = x;
  description.nodes.forEach((node, i) => {
    if (!done.has(node.name)) {
      const joined = hooks.joined?.get(node.name);
      const crossbar = node.op === 'conv' || node.op === 'dense';
      last =
        crossbar && hooks.layer
          ? hooks.layer(node, output(node.input), endOf(joined, output))
          : scope(() => runNode(node, output, parameters));
      if (hooks.afterNode) last = hooks.afterNode(node, last);
      outputs.set(joined?.nodes.at(-1) ?? node.name, last);
    }
    for (const input of inputsOf(node)) if (lastUse.get(input) === i) forget(outputs, input, x);
  });
  return last;
}

const endOf = (joined: JoinedLayer | undefined, output: (name: string) => Tensor): convolutions.ConvEnd =>
  joined ? { plus: joined.plus === undefined ? undefined : output(joined.plus), relu: joined.relu } : {};

/**
 * Frees an output that no later node reads: memory that was just used is still in the cache when the engine hands it
 * out again. Nodes that only pass their input on share its tensor.
 */
function forget(outputs: Map<string, Tensor>, name: string, x: Tensor): void {
  const tensor = outputs.get(name);
  outputs.delete(name);
  if (tensor && tensor !== x && !new Set(outputs.values()).has(tensor)) dispose(tensor);
}

/** Another handle on the same memory: every node's output is freed on its own. */
const alias = (x: Tensor) => k.reshape(x, x.shape);

/** The output of one node, a new tensor, given those of the nodes it reads. */
export function runNode(
  node: Node,
  output: (name: string) => Tensor,
  parameters: ReadonlyMap<string, Tensor>,
): Tensor {
  switch (node.op) {
    case 'conv': {
      const x = output(node.input);
      const w = parameters.get(`${node.name}.weight`)!;
      return node.bias
        ? convolutions.conv2dBias(x, w, parameters.get(`${node.name}.bias`)!, node)
        : convolutions.conv2d(x, w, node);
    }
    case 'batchnorm':
      throw new Error(`${node.name}: fold batch norm before inference`);
    case 'relu':
      return k.relu(output(node.input));
    case 'add':
      return k.add(output(node.inputs[0]), output(node.inputs[1]));
    case 'maxpool': {
      const x = output(node.input);
      const padded = node.padding > 0 ? k.pad(x, node.padding, node.padding) : x;
      return k.maxPool(padded, node.kernel, node.stride);
    }
    case 'subsample-pad': {
      const x = output(node.input);
      const select = convolutions.channelSelection(x.shape[3], node.padChannels, x.dtype);
      return convolutions.conv2d(x, select, { stride: node.stride, padding: 0 });
    }
    case 'globalpool':
      return k.globalMean(toType(output(node.input), DType.float32));
    case 'avgpool':
      return gridMean(toType(output(node.input), DType.float32), node.grid);
    case 'flatten': {
      const x = toType(output(node.input), DType.float32);
      const [n, h, w, c] = x.shape;
      return k.reshape(h * w === 1 ? x : k.transpose(x, [0, 3, 1, 2]), [n, c * h * w]);
    }
    case 'dropout':
      return alias(output(node.input));
    case 'dense': {
      const y = k.matMul(output(node.input), parameters.get(`${node.name}.weight`)!);
      return node.bias ? k.biasAdd(y, parameters.get(`${node.name}.bias`)!) : y;
    }
  }
}

/** Mean over a `grid` x `grid` partition; height and width must be multiples of `grid`. */
function gridMean(x: Tensor, grid: number): Tensor {
  const [n, h, w, c] = x.shape;
  if (h === grid && w === grid) return alias(x);
  const rows = k.sum(k.reshape(x, [n, grid, h / grid, w * c]), [2]);
  const sums = k.sum(k.reshape(rows, [n, grid, grid, w / grid, c]), [3]);
  return k.multiply(sums, k.scalar((grid * grid) / (h * w)));
}
