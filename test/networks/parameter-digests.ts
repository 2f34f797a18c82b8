import { createHash } from 'node:crypto';
import type { NetworkDescription, Parameters } from '../../src/networks/description';
import { parameterShapes } from '../../src/networks/parameter-shapes';
import { elementCount } from '../../src/networks/stored-tensor';

/** Name, shape and a hash of the numbers of every parameter, in order: quick to compare where there are many numbers. */
export const parameterDigests = (parameters: Parameters) =>
  [...parameters].map(([name, { shape, data }]) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return `${name} [${shape}] ${createHash('sha1').update(bytes).digest('hex')}`;
  });

/** Parameters that cost no time to make and differ from each other: the i-th tensor holds i + 1 throughout. */
export const numberedParameters = (description: NetworkDescription): Parameters =>
  new Map(
    [...parameterShapes(description)].map(([name, shape], i) => {
      return [name, { shape, data: new Float32Array(elementCount(shape)).fill(i + 1) }];
    }),
  );
