import type { ConvNode, DenseNode, NetworkDescription } from '../networks/description';
import { inputsOf } from '../networks/node-shapes';
import { groupCount } from '../quantization/channel-groups';
import type { IntegerNetwork } from '../quantization/integer-network';
import { scope } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { randomStream } from '../tensor/random';
import { pictureStarts, positionsIn, randomPositions, sampleOutputs, samplePatches } from './patch-samples';
import { type PostTrainingSettings, postTrainingDefaults } from './post-training-settings';
import type { RectifiedSamples } from './rectified-targets';
import { createMomentAccumulator, type SecondMoments } from './second-moments';
import { shrinkageRidge } from './shrinkage';
import { roomForInputs } from './stored-inputs';
import type { LayerStep } from './through-layers';

/** Whether a ReLU alone reads the layer's output, or the sum it goes into. */
function isRectified(name: string, description: NetworkDescription, summed: boolean): boolean {
  const readers = description.nodes.filter((reader) => inputsOf(reader).includes(name));
  const [reader] = readers;
  if (readers.length !== 1) return false;
  return (
    reader.op === 'relu' || (summed && reader.op === 'add' && isRectified(reader.name, description, false))
  );
}

/** The other input of the addition that alone reads `node`, where it is computed before `node`. */
function residualPartner(node: ConvNode | DenseNode, { nodes }: NetworkDescription): string | undefined {
  const readers = nodes.filter((reader) => inputsOf(reader).includes(node.name));
  const [reader] = readers;
  if (readers.length !== 1 || reader.op !== 'add') return undefined;
  const other = reader.inputs.find((name) => name !== node.name);
  const before = nodes.slice(
    0,
    nodes.findIndex(({ name }) => name === node.name),
  );
  return before.some(({ name }) => name === other) ? other : undefined;
}

/** Moments of the layer's inputs and wanted outputs, and the samples where a ReLU reads the outputs. */
export interface MeasuredLayer {
  readonly moments: SecondMoments;
  readonly samples: RectifiedSamples | undefined;
  /** What few pictures ask for, relative to the Hessian's mean diagonal; absent: the setting says. */
  readonly ridge: number | undefined;
}

/**
 * Moments of the layer's real-valued input patches (the picture counts as pixels less their mean) and of the outputs
 * that it should have: those of the float network, plus what the other branch of a residual block lacks.
 */
export function measureLayer(
  { node, flow, inputShape }: LayerStep,
  network: IntegerNetwork,
  settings: Omit<PostTrainingSettings, 'adcBits'>,
): MeasuredLayer {
  const {
    patches = postTrainingDefaults.patches,
    seed = 1,
    compensation = 'layer-admm',
    residualCompensation = true,
    rectification = true,
    ridge,
  } = settings;
  const fitted = compensation === 'layer-admm';
  const { inputScale, inputSigned, columns, rows: rowsOfGroup } = network.layers.get(node.name)!;
  const groups = groupCount(node);
  const rows = rowsOfGroup * groups;
  const partner = fitted && residualCompensation ? residualPartner(node, network.description) : undefined;
  const places = randomPositions(node, inputShape, patches, randomStream(seed, `patches of ${node.name}`));
  const pixels = node.input === 'input';
  const offsets = pixels ? network.mean.map((mean) => -255 * mean) : undefined;
  const scale = pixels ? 1 : inputScale;
  const accumulator = createMomentAccumulator(rows, columns);
  const rectified =
    fitted &&
    rectification &&
    groups === 1 &&
    isRectified(node.name, network.description, partner !== undefined);
  // Projection alone has no use for a ridge.
  const shrinks = fitted && ridge === 'shrinkage';
  const given = ridge === 'shrinkage' ? undefined : ridge;
  const all =
    rectified || shrinks
      ? {
          count: places.count,
          inputs: roomForInputs(places.count * rows, scale, !pixels && !inputSigned),
          targets: new Float32Array(places.count * columns),
          beside: partner === undefined ? undefined : new Float32Array(places.count * columns),
        }
      : undefined;
  let done = 0;
  try {
    for (const { first, count, codes, reference, compressed } of flow.batches()) {
      const own = positionsIn(places, first, count);
      scope(() => {
        const input = codes(node.input);
        const output = reference(node.name);
        const other = partner === undefined ? undefined : compressed(partner);
        const wanted = other ? k.add(output, k.subtract(reference(partner!), other)) : output;
        const numbers = samplePatches(node, k.floats(input), input.shape, own, offsets);
        const targets = sampleOutputs(k.floats(wanted), wanted.shape, own);
        accumulator.add({ inputs: numbers.map((value) => value * scale), targets, count: own.count });
        if (!all) return undefined;
        all.inputs.numbers.set(numbers, done * rows);
        all.targets.set(targets, done * columns);
        if (other) all.beside!.set(sampleOutputs(k.floats(other), other.shape, own), done * columns);
        return undefined;
      });
      done += own.count;
    }
    const moments = accumulator.finish();
    return {
      moments,
      samples: rectified ? all : undefined,
      ridge: shrinks
        ? shrinkageRidge(moments, { inputs: all!.inputs, starts: pictureStarts(places, inputShape[0]) })
        : given,
    };
  } finally {
    accumulator.dispose();
  }
}
