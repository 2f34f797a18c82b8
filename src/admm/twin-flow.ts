import type { ConvNode, DenseNode, NetworkDescription, Node, Parameters } from '../networks/description';
import { type Pictures, runNode, uploadParameters } from '../networks/inference';
import { lastUses } from '../networks/last-uses';
import type { NodeShape } from '../networks/node-shapes';
import { type PictureNormaliser, pictureNormaliser } from '../networks/picture-normaliser';
import { crossbarNodes, isOnCrossbars } from '../quantization/crossbar-layers';
import { type InputCoding, inputCoding } from '../quantization/input-coding';
import { type LoadedLayer, loadLayer } from '../quantization/integer-layer';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { DType, dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { picturesBefore } from './flow-memory';

/** Both networks at one node for one batch of pictures. */
export interface BatchView {
  /** Place of the first picture, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** A node's output in the float network. Call these within a scope. */
  reference(name: string): Tensor;
  /** In the compressed network, real-valued. */
  compressed(name: string): Tensor;
  /** Its codes, where crossbars read them (pixels of the picture): whole numbers in float32. */
  codes(name: string): Tensor;
}

/**
 * The calibration pictures on their way through the float and the compressed network, side by side and batch by batch.
 * Of every batch only what a later node still reads is kept, codes as bytes. Where wide activations leave no room for all
 * pictures, the others follow from the start when there is room, through the layers as they are by then.
 */
export interface TwinFlow {
  /** The nodes before the first layer on crossbars. */
  start(): void;
  /** A layer on crossbars, as `layer` has it in the compressed network, and the nodes behind it up to the next one. */
  advance(node: ConvNode | DenseNode, layer: IntegerLayer): void;
  /** Where the flow has arrived: what was computed so far, and the reference output of the layer that comes next. */
  batches(): Iterable<BatchView>;
  /** Pictures that have arrived there: the first ones. */
  pictures(): number;
  dispose(): void;
}

/** Floats of the widest activation that a batch may have. */
const BATCH_FLOATS = 2 ** 24;

type Outputs = Map<string, Tensor>;

interface Batch {
  readonly first: number;
  readonly count: number;
  readonly reference: Outputs;
  readonly compressed: Outputs;
  readonly codes: Outputs;
}

const asFloats = (codes: Tensor) => (codes.dtype === DType.float32 ? codes : k.cast(codes, DType.float32));

/** Index of the first layer on crossbars from node `from` on; behind the last node where there is none. */
function nextOnCrossbars({ nodes }: NetworkDescription, from: number): number {
  const found = nodes.findIndex((node, i) => i >= from && isOnCrossbars(node));
  return found < 0 ? nodes.length : found;
}

const widestActivation = (shapes: ReadonlyMap<string, NodeShape>) =>
  Math.max(...Array.from(shapes.values(), ([height, width, channels]) => height * width * channels));

export interface TwinFlowOptions {
  /** Of every node for these pictures. */
  readonly shapes: ReadonlyMap<string, NodeShape>;
  /** Bytes that activations may take between two layers. */
  readonly bytes: number;
  /** Pictures computed at once; default: as many as keep the widest activation within 64 MiB. */
  readonly batchSize?: number;
}

export function createTwinFlow(
  network: IntegerNetwork,
  parameters: Parameters,
  pictures: Pictures,
  options: TwinFlowOptions,
): TwinFlow {
  const { shapes, batchSize = Math.max(1, Math.floor(BATCH_FLOATS / widestActivation(shapes))) } = options;
  const { description, mean, std } = network;
  const lastUse = lastUses(description);
  const nodes = new Map(description.nodes.map((node) => [node.name, node]));
  const codings = new Map<string, InputCoding>();
  const readers = new Map<string, IntegerLayer>();
  for (const node of crossbarNodes(description)) readers.set(node.input, network.layers.get(node.name)!);
  for (const [name, layer] of readers) if (name !== 'input') codings.set(name, inputCoding(layer));
  const tensors = uploadParameters(parameters);
  const batches: Batch[] = [];
  const normalise = pictureNormaliser(mean, std);
  const bytesOf = (name: string) => {
    const stored = name === 'input' || (codings.has(name) && !readers.get(name)!.inputSigned) ? 1 : 4;
    return stored + 4;
  };
  const room = picturesBefore(description, {
    shapes,
    bytesOf,
    pictures: pictures.count,
    bytes: options.bytes,
  });
  /** The layers passed so far, as they are in the compressed network. */
  const passed = new Map<string, IntegerLayer>();
  let arrived = 0;

  const decode = (name: string, codes: Tensor) => codings.get(name)!.decode(asFloats(codes));
  const reference = (outputs: Outputs) => (name: string) =>
    outputs.get(name) ?? runNode(nodes.get(name)!, reference(outputs), tensors);
  const compressed = (batch: Batch) => (name: string) =>
    batch.compressed.get(name) ?? decode(name, batch.codes.get(name)!);

  const runCompressed = (batch: Batch, node: Node, loaded: LoadedLayer | undefined) => {
    const coding = codings.get(node.name);
    const signed = readers.get(node.name)?.inputSigned;
    const output = scope(() => {
      let value: Tensor;
      if (loaded) {
        const input = batch.codes.get((node as ConvNode | DenseNode).input)!;
        value = loaded.output(input, loaded.sums(input));
      } else value = runNode(node, compressed(batch), new Map());
      if (!coding) return value;
      const encoded = coding.encode(value, node.op === 'relu');
      return signed ? encoded : k.cast(encoded, DType.uint8);
    });
    (coding ? batch.codes : batch.compressed).set(node.name, keep(output));
  };

  /** Runs nodes first ..< last, each batch through all of them: what lies between is never there for all pictures. */
  const run = (
    chosen: readonly Batch[],
    first: number,
    last: number,
    loaded: ReadonlyMap<string, LoadedLayer>,
  ) => {
    for (const batch of chosen)
      for (let i = first; i < last; i++) {
        const node = description.nodes[i];
        const output = scope(() => runNode(node, reference(batch.reference), tensors));
        batch.reference.set(node.name, keep(output));
        runCompressed(batch, node, loaded.get(node.name));
        for (const outputs of [batch.reference, batch.compressed, batch.codes]) forget(outputs, i);
      }
  };

  /** Loads the layers passed for as long as `body` runs. */
  const withLayers = (names: readonly string[], body: (loaded: Map<string, LoadedLayer>) => void) => {
    const loaded = new Map(
      names.map((name) => [
        name,
        loadLayer(nodes.get(name) as ConvNode | DenseNode, passed.get(name)!, mean),
      ]),
    );
    try {
      body(loaded);
    } finally {
      for (const layer of loaded.values()) layer.dispose();
    }
  };

  /** Lets as many more pictures follow up to node `last` as there is room for. */
  const follow = (last: number) => {
    const wanted = last < room.length ? room[last] : arrived;
    if (wanted <= arrived) return;
    withLayers([...passed.keys()], (loaded) => {
      while (arrived < wanted) {
        const count = Math.min(batchSize, wanted - arrived);
        const batch = startBatch(pictures, arrived, count, normalise);
        batches.push(batch);
        arrived += count;
        run([batch], 0, last, loaded);
      }
    });
  };

  /** Frees what node `index` was the last to read. */
  const forget = (outputs: Outputs, index: number) => {
    for (const [name, tensor] of outputs) {
      if (lastUse.get(name)! > index) continue;
      dispose(tensor);
      outputs.delete(name);
    }
  };

  return {
    start: () => follow(nextOnCrossbars(description, 0)),
    advance(node, layer) {
      const first = description.nodes.indexOf(node);
      const last = nextOnCrossbars(description, first + 1);
      passed.set(node.name, layer);
      withLayers([node.name], (loaded) => run(batches, first, last, loaded));
      follow(last);
    },
    pictures: () => arrived,
    *batches() {
      for (const batch of batches)
        yield {
          first: batch.first,
          count: batch.count,
          reference: reference(batch.reference),
          compressed: compressed(batch),
          codes: (name: string) => asFloats(batch.codes.get(name)!),
        };
    },
    dispose() {
      for (const { reference, compressed, codes } of batches)
        for (const outputs of [reference, compressed, codes]) {
          dispose(...outputs.values());
          outputs.clear();
        }
      normalise.dispose();
      for (const coding of codings.values()) coding.dispose();
      dispose(...tensors.values());
    },
  };
}

/** The picture enters both networks as pixels: less their mean for the reference, raw for the crossbar. */
function startBatch(
  { pixels, height, width, channels }: Pictures,
  first: number,
  count: number,
  normalise: PictureNormaliser,
): Batch {
  const size = height * width * channels;
  const shape = [count, height, width, channels];
  const bytes = keep(upload(pixels.subarray(first * size, (first + count) * size), shape));
  return {
    first,
    count,
    reference: new Map([['input', keep(normalise(bytes))]]),
    compressed: new Map(),
    codes: new Map([['input', bytes]]),
  };
}
