import type { LayerJob } from '../layer-job';
import { requireUnwired } from '../require-unwired';

/**
 * The integer product inputs * codes that a lossless crossbar gives, [vectors, columns], computed without one.
 * @throws InputError for rows in another order than the inputs
 */
export function exactProduct(job: LayerJob): Float64Array {
  requireUnwired(job);
  const { codes, inputs, rows, columns, vectors, tiles, flips } = job;
  const outputs = new Float64Array(vectors * columns);
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    for (let vector = 0; vector < vectors; vector++) {
      for (let row = tiles[tile]; row < tiles[tile + 1]; row++) {
        const input = inputs[vector * rows + row];
        if (input === 0) continue;
        for (let column = 0; column < columns; column++) {
          const stored = codes[row * columns + column];
          const code = flips?.[tile * columns + column] ? -1 - stored : stored;
          outputs[vector * columns + column] += input * code;
        }
      }
    }
  }
  return outputs;
}
