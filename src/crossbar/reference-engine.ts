import { adcCode, adcStep, clips } from './adc';
import { addOffset, outputArray } from './finish-outputs';
import { adcKinds } from './layer-adcs';
import { checkedBound, type LayerJob, type LayerResult, sumRange } from './layer-job';
import type { SumHistogram } from './sum-histogram';

/**
 * The crossbar in the plainest way: one conversion at a time, each a sum over the rows of its tile. Slow and clear; every
 * other engine must agree with it, those on integers to the bit.
 * @throws InputError where outputs may go beyond 32-bit integers
 */
export function referenceEngine(job: LayerJob, record = false): LayerResult {
  const { inputRows, columns, vectors, tiles, slices } = job;
  const outputs = outputArray(job, vectors * columns);
  if (outputs instanceof Int32Array) checkedBound(job);
  const { cells, asks } = cellsOf(job);
  const { kinds, kindAt } = adcKinds(job);
  // Weighted codes by kind of ADC: whole numbers, in whatever order they are added.
  const codes = kinds.map(() => new Float64Array(vectors * columns));
  const [lowest, highest] = sumRange(job);
  const sums: SumHistogram = { lowest, counts: new Float64Array(record ? highest - lowest + 1 : 0) };
  let saturated = 0;
  let conversions = 0;
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    const from = tiles[tile];
    const to = tiles[tile + 1];
    for (const [readout, { plus, minus, weight }] of job.readouts.entries()) {
      for (let column = 0; column < columns; column++) {
        // What each row adds to this sum for a pulse of 1.
        const drive = new Int32Array(to - from);
        let used = false;
        for (let row = from; row < to; row++) {
          drive[row - from] = cells(row, column, plus) - (minus < 0 ? 0 : cells(row, column, minus));
          used ||= asks(row, column, plus) || (minus >= 0 && asks(row, column, minus));
        }
        if (!used) continue;
        const sign = job.flips?.[tile * columns + column] ? -1 : 1;
        const kind = kindAt(tile, column, readout);
        const adc = kinds[kind];
        const added = codes[kind];
        const elements = job.wiring[Math.floor((column * job.wiring.length) / columns)];
        for (let vector = 0; vector < vectors; vector++) {
          for (let plane = 0; plane < slices.planes; plane++) {
            let sum = 0;
            for (let row = from; row < to; row++) {
              const input = job.inputs[vector * inputRows + elements[row]] & 255;
              sum += slices.pulses[input * slices.planes + plane] * drive[row - from];
            }
            conversions++;
            if (clips(sum, adc)) saturated++;
            if (record) sums.counts[sum - lowest]++;
            added[vector * columns + column] += sign * slices.weights[plane] * weight * adcCode(sum, adc);
          }
        }
      }
    }
  }
  for (const [kind, added] of codes.entries()) {
    const step = adcStep(kinds[kind]);
    for (let i = 0; i < outputs.length; i++) outputs[i] += step * added[i];
  }
  if (job.encoding.offset !== 0) addOffset(job, outputs, job.inputs);
  return { outputs, saturated, conversions, ...(record && { sums }) };
}

/** What a cell holds, and whether the code asks it to hold anything. */
function cellsOf({ codes, cells, columns, encoding }: LayerJob) {
  const slots = encoding.polarities * encoding.planes;
  const digit = (row: number, column: number, slot: number) =>
    encoding.digits[(codes[row * columns + column] + 128) * slots + slot];
  return {
    cells: (row: number, column: number, slot: number): number =>
      cells ? cells[(row * columns + column) * slots + slot] : digit(row, column, slot),
    asks: (row: number, column: number, slot: number): boolean => digit(row, column, slot) !== 0,
  };
}
