import type { Hash } from 'node:crypto';
import type { Parameters } from '../networks/description';

/** Takes all parameters, by name and shape, into a hash; absent: none. */
export function hashParameters(hash: Hash, parameters: Parameters | undefined): void {
  for (const [name, { shape, data }] of parameters ?? []) hash.update(`${name} ${shape} `).update(data);
}
