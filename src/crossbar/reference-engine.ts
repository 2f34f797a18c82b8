import { clips, convert } from './adc';
import type { LayerJob, LayerResult } from './layer-job';

/**
 * The crossbar in the plainest way: one conversion at a time, each a sum over the rows of its tile. Slow and clear; every
 * other engine must agree with it to the bit. Outputs are floats because an ADC's step may be any real number; they are
 * whole, and exact, when it is whole.
 */
export function referenceEngine(job: LayerJob): LayerResult<Float64Array> {
  const { rows, columns, vectors, tiles, encoding, slices, adc } = job;
  const cells = cellsOf(job);
  const outputs = new Float64Array(vectors * columns);
  let saturated = 0;
  let conversions = 0;
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    const from = tiles[tile];
    const to = tiles[tile + 1];
    for (const { plus, minus, weight } of job.readouts) {
      for (let column = 0; column < columns; column++) {
        // What each row adds to this sum for a pulse of 1.
        const drive = new Int32Array(to - from);
        for (let row = from; row < to; row++) {
          drive[row - from] = cells(row, column, plus) - (minus < 0 ? 0 : cells(row, column, minus));
        }
        // A row never holds charge in both polarities of a plane, so all zero means that both are empty.
        if (drive.every((charge) => charge === 0)) continue;
        const sign = job.flips?.[tile * columns + column] ? -1 : 1;
        for (let vector = 0; vector < vectors; vector++) {
          for (let plane = 0; plane < slices.planes; plane++) {
            let sum = 0;
            for (let row = from; row < to; row++) {
              const code = job.inputs[vector * rows + row] & 255;
              sum += slices.pulses[code * slices.planes + plane] * drive[row - from];
            }
            conversions++;
            if (clips(sum, adc)) saturated++;
            outputs[vector * columns + column] += sign * slices.weights[plane] * weight * convert(sum, adc);
          }
        }
      }
    }
  }
  if (encoding.offset !== 0) addOffset(job, outputs);
  return { outputs, saturated, conversions };
}

type Cells = (row: number, column: number, slot: number) => number;

function cellsOf({ codes, columns, encoding }: LayerJob): Cells {
  const slots = encoding.polarities * encoding.planes;
  return (row, column, slot) => encoding.digits[(codes[row * columns + column] + 128) * slots + slot];
}

/**
 * Adds the encoding's constant times each vector's input sum: digital work that no ADC sees. A complemented tile stores
 * -1 - c for c, so there the constant is -1 - offset.
 */
export function addOffset(job: LayerJob, outputs: Float64Array | Int32Array): void {
  const { rows, columns, vectors, inputs, encoding, tiles, flips } = job;
  const { offset } = encoding;
  for (let vector = 0; vector < vectors; vector++) {
    for (let tile = 0; tile + 1 < tiles.length; tile++) {
      let sum = 0;
      for (let row = tiles[tile]; row < tiles[tile + 1]; row++) sum += inputs[vector * rows + row];
      for (let column = 0; column < columns; column++) {
        outputs[vector * columns + column] += (flips?.[tile * columns + column] ? -1 - offset : offset) * sum;
      }
    }
  }
}
