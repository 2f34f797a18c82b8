import type { ConvNode, DenseNode, NetworkDescription, Node } from '../networks/description';
import { forward, type Inference, type Pictures } from '../networks/inference';
import { inputsOf } from '../networks/node-shapes';
import { DType, dispose, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { crossbarNodes } from './crossbar-layers';
import { type InputCoding, inputCoding } from './input-coding';
import { type LoadedLayer, loadLayer } from './integer-layer';
import type { IntegerNetwork } from './integer-network';

export interface IntegerHooks {
  /**
   * Sees a crossbar layer's input codes [N, H, W, C] or [N, K] (whole numbers in float32) and can ask for its exact
   * integer output before scale and bias (float32, or int32 where sums may pass 2^24); both are freed after the call.
   * What it returns, if anything, takes the output's place.
   */
  readonly onLayer?: (
    node: ConvNode | DenseNode,
    inputCodes: Tensor,
    exactSums: () => Tensor,
  ) => Tensor | undefined;
}

/** Classifies with integer arithmetic on the tensor engine: exactly what lossless crossbars compute. */
export function createIntegerInference(network: IntegerNetwork, hooks: IntegerHooks = {}): Inference {
  const { description } = network;
  const read = valuesRead(description);
  const layers = new Map<string, LoadedLayer>();
  const codings = new Map<string, InputCoding>();
  for (const node of crossbarNodes(description)) {
    const layer = network.layers.get(node.name)!;
    layers.set(node.name, loadLayer(node, layer, network.mean));
    if (!codings.has(node.input)) codings.set(node.input, inputCoding(layer));
  }

  const logits = ({ pixels, count, height, width, channels }: Pictures): Float32Array =>
    scope(() => {
      const picture = k.cast(upload(pixels, [count, height, width, channels]), DType.float32);
      const codes = new Map<string, Tensor>([['input', picture]]);
      const layer = (node: ConvNode | DenseNode): Tensor => {
        const input = codes.get(node.input)!;
        const loaded = layers.get(node.name)!;
        return scope(() => {
          let sums: Tensor | undefined;
          const exactSums = () => {
            sums ??= loaded.sums(input);
            return sums;
          };
          return loaded.output(input, hooks.onLayer?.(node, input, exactSums) ?? exactSums());
        });
      };
      const afterNode = (node: Node, output: Tensor): Tensor => {
        const coding = codings.get(node.name);
        if (!coding) return output;
        const code = coding.encode(output, node.op === 'relu');
        dispose(output);
        codes.set(node.name, code);
        return read.has(node.name) ? coding.decode(code) : code;
      };
      return k.floats(forward(description, new Map(), picture, { layer, afterNode }));
    });

  return {
    logits,
    dispose() {
      for (const part of [...layers.values(), ...codings.values()]) part.dispose();
    },
  };
}

/** The nodes whose output somebody reads as real values; crossbar layers read codes. */
function valuesRead({ nodes }: NetworkDescription): ReadonlySet<string> {
  const digital = nodes.filter(({ op }) => op !== 'conv' && op !== 'dense');
  return new Set(digital.flatMap(inputsOf));
}
