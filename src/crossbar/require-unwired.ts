import { InputError } from '../errors';
import type { MappedLayer } from './layer-job';

/** @throws InputError unless row i of the layer is driven by element i of the inputs: for engines that know no wiring */
export function requireUnwired({ wiring, inputRows, rows }: MappedLayer): void {
  if (wiring.length === 1 && inputRows === rows && wiring[0].every((element, row) => element === row)) return;
  throw new InputError(
    `wiring: ${wiring.length} of ${rows} rows on ${inputRows} inputs, where row i is driven by input i alone; createLayerSimulator takes any`,
  );
}
