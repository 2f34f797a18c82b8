import type { ConvNode, DenseNode, Node, Parameters } from '../networks/description';
import { type Pictures, runNode, uploadParameters } from '../networks/inference';
import { lastUses } from '../networks/last-uses';
import type { NodeShape } from '../networks/node-shapes';
import { type PictureNormaliser, pictureNormaliser } from '../networks/picture-normaliser';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { type InputCoding, inputCoding } from '../quantization/input-coding';
import { loadLayer } from '../quantization/integer-layer';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { DType, dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';

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
 * Of every batch only what a later node still reads is kept, codes as bytes.
 */
export interface TwinFlow {
  /** Computes a node in the float network. */
  runReference(node: Node, index: number): void;
  /** Computes a node in the compressed network; `layer` is the one on crossbars. */
  runCompressed(node: Node, index: number, layer?: IntegerLayer): void;
  batches(): Iterable<BatchView>;
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

const widestActivation = (shapes: ReadonlyMap<string, NodeShape>) =>
  Math.max(...Array.from(shapes.values(), ([height, width, channels]) => height * width * channels));

/** @param shapes of every node for these pictures
 * @param batchSize pictures computed at once; default: as many as keep the widest activation within 64 MiB */
export function createTwinFlow(
  network: IntegerNetwork,
  parameters: Parameters,
  pictures: Pictures,
  shapes: ReadonlyMap<string, NodeShape>,
  batchSize = Math.max(1, Math.floor(BATCH_FLOATS / widestActivation(shapes))),
): TwinFlow {
  const { description, mean, std } = network;
  const lastUse = lastUses(description);
  const codings = new Map<string, InputCoding>();
  const readers = new Map<string, IntegerLayer>();
  for (const node of crossbarNodes(description)) readers.set(node.input, network.layers.get(node.name)!);
  for (const [name, layer] of readers) if (name !== 'input') codings.set(name, inputCoding(layer));
  const tensors = uploadParameters(parameters);
  const batches: Batch[] = [];
  const normalise = pictureNormaliser(mean, std);
  for (let first = 0; first < pictures.count; first += batchSize)
    batches.push(startBatch(pictures, first, Math.min(batchSize, pictures.count - first), normalise));
  normalise.dispose();

  const decode = (name: string, codes: Tensor) => {
    const floats = codes.dtype === DType.float32 ? codes : k.cast(codes, DType.float32);
    return codings.get(name)!.decode(floats);
  };
  const compressed = (batch: Batch) => (name: string) =>
    batch.compressed.get(name) ?? decode(name, batch.codes.get(name)!);
  const codes = (batch: Batch) => (name: string) => {
    const stored = batch.codes.get(name)!;
    return stored.dtype === DType.float32 ? stored : k.cast(stored, DType.float32);
  };

  /** Frees what node `index` was the last to read. Its own output stays: whoever runs the flow may look at it. */
  const forget = (outputs: Outputs, index: number) => {
    for (const [name, tensor] of outputs) {
      if (lastUse.get(name)! > index || name === description.nodes[index].name) continue;
      dispose(tensor);
      outputs.delete(name);
    }
  };

  return {
    runReference(node, index) {
      for (const { reference } of batches) {
        const output = scope(() => runNode(node, (name) => reference.get(name)!, tensors));
        reference.set(node.name, keep(output));
        forget(reference, index);
      }
    },
    runCompressed(node, index, layer) {
      const loaded = layer && loadLayer(node as ConvNode | DenseNode, layer, mean);
      const coding = codings.get(node.name);
      const signed = readers.get(node.name)?.inputSigned;
      try {
        for (const batch of batches) {
          const output = scope(() => {
            let value: Tensor;
            if (loaded) {
              const input = codes(batch)((node as ConvNode | DenseNode).input);
              value = loaded.output(input, loaded.sums(input));
            } else value = runNode(node, compressed(batch), new Map());
            if (!coding) return value;
            const encoded = coding.encode(value);
            return signed ? encoded : k.cast(encoded, DType.uint8);
          });
          (coding ? batch.codes : batch.compressed).set(node.name, keep(output));
          forget(batch.compressed, index);
          forget(batch.codes, index);
        }
      } finally {
        loaded?.dispose();
      }
    },
    *batches() {
      for (const batch of batches)
        yield {
          first: batch.first,
          count: batch.count,
          reference: (name: string) => batch.reference.get(name)!,
          compressed: compressed(batch),
          codes: codes(batch),
        };
    },
    dispose() {
      for (const { reference, compressed, codes } of batches)
        for (const outputs of [reference, compressed, codes]) {
          dispose(...outputs.values());
          outputs.clear();
        }
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
