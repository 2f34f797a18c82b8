import type { ConvNode, DenseNode, NetworkDescription, Parameters } from '../networks/description';
import type { Pictures } from '../networks/inference';
import { nodeShapes } from '../networks/node-shapes';
import type { OnProgress } from '../progress';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { type PostTrainingSettings, postTrainingDefaults } from './post-training-settings';
import { requireMemory } from './pruning-memory';
import { createStageTimer, type StageTimer } from './stage-timer';
import { createTwinFlow, type TwinFlow } from './twin-flow';

/** The float network that the pruned one should reproduce, batch norm folded. */
export interface ReferenceNetwork {
  readonly description: NetworkDescription;
  readonly parameters: Parameters;
}

/** A crossbar layer whose turn has come. */
export interface LayerStep {
  readonly node: ConvNode | DenseNode;
  readonly flow: TwinFlow;
  /** [pictures that have arrived, height, width, channels] of its input. */
  readonly inputShape: readonly number[];
  readonly timer: StageTimer;
}

/**
 * What the layers compute is left to `replace`, called for each in network order when its inputs have arrived.
 * @throws InputError where there is too little memory
 */
export function throughLayers(
  network: IntegerNetwork,
  reference: ReferenceNetwork,
  calibration: Pictures,
  settings: Pick<PostTrainingSettings, 'batchSize' | 'activationBytes' | 'patches'>,
  onProgress: OnProgress | undefined,
  replace: (step: LayerStep) => IntegerLayer,
): Map<string, IntegerLayer> {
  requireMemory(network, calibration, settings);
  const { description } = network;
  const { batchSize, activationBytes } = settings;
  const total = crossbarNodes(description).length;
  const layers = new Map<string, IntegerLayer>();
  const shapes = nodeShapes(description, calibration);
  const bytes = activationBytes ?? postTrainingDefaults.activationBytes;
  const flow = createTwinFlow(network, reference.parameters, calibration, { shapes, bytes, batchSize });
  try {
    // The way to a layer counts among its own stages.
    let timer = createStageTimer();
    timer.time('inference', () => flow.start());
    for (const node of crossbarNodes(description)) {
      onProgress?.({ done: layers.size, total, note: node.name });
      const inputShape = [flow.pictures(), ...shapes.get(node.input)!];
      const layer = replace({ node, flow, inputShape, timer });
      layers.set(node.name, layer);
      timer = createStageTimer();
      timer.time('inference', () => flow.advance(node, layer));
    }
  } finally {
    flow.dispose();
  }
  onProgress?.({ done: total, total, note: 'pruned' });
  return layers;
}
