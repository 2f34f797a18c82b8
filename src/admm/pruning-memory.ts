import { freemem, totalmem } from 'node:os';
import { InputError } from '../errors';
import type { Pictures } from '../networks/inference';
import { nodeShapes } from '../networks/node-shapes';
import { groupCount } from '../quantization/channel-groups';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork } from '../quantization/integer-network';
import { liveBytes } from './flow-memory';
import { type PostTrainingSettings, postTrainingDefaults } from './post-training-settings';

type MemorySettings = Pick<PostTrainingSettings, 'patches' | 'activationBytes'>;

/** The engine's buffers for a batch, the weights of both networks. */
const WORKSPACE = 2 ** 28;

/** Matrices of a Hessian's size that layer ADMM holds at once, and numbers of a layer's outputs for each patch. */
const HESSIANS = 14;
const OUTPUTS = 4;

const FLOAT = 4;

/**
 * Bytes that pruning takes beside network and pictures, about: activations between two layers, and for the layer of most
 * rows the patches, as bytes, with their outputs, and Hessians. ResNet-18 on 2250 pictures of 224 x 224 takes 4.1 GiB, and
 * 5.3 with all else.
 */
export function pruningMemory(
  { description, layers }: IntegerNetwork,
  { count, height, width }: Omit<Pictures, 'pixels'>,
  {
    patches = postTrainingDefaults.patches,
    activationBytes = postTrainingDefaults.activationBytes,
  }: MemorySettings,
): number {
  const shapes = nodeShapes(description, { height, width });
  const live = liveBytes(description, { shapes, bytesOf: () => 2 * FLOAT });
  const largest = crossbarNodes(description).map((node) => {
    const { rows: own, columns } = layers.get(node.name)!;
    const rows = own * groupCount(node);
    const [high, wide] = node.op === 'conv' ? shapes.get(node.name)! : [1, 1];
    const samples = Math.min(patches, count * high * wide);
    return samples * (rows + OUTPUTS * FLOAT * columns) + HESSIANS * FLOAT * rows ** 2;
  });
  return WORKSPACE + Math.min(activationBytes, count * Math.max(...live)) + Math.max(...largest);
}

/** Within the limits of a container, where Node tells them. macOS counts what it could give back as taken: there all there is. */
function freeMemory(): number {
  if (process.platform === 'darwin') return totalmem();
  return process.availableMemory?.() ?? freemem();
}

/** Before anything is computed. @throws InputError where less memory is free than pruning takes */
export function requireMemory(
  network: IntegerNetwork,
  pictures: Omit<Pictures, 'pixels'>,
  settings: MemorySettings,
): void {
  const needed = pruningMemory(network, pictures, settings);
  const free = freeMemory();
  if (needed <= free) return;
  const { count, height, width } = pictures;
  const { patches = postTrainingDefaults.patches } = settings;
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
  throw new InputError(
    `pruning ${network.description.name} on ${count} pictures of ${height} x ${width} and ${patches} patches a layer takes about ${gib(needed)} GiB of memory, but ${gib(free)} are free: fewer pictures or patches are needed`,
  );
}
