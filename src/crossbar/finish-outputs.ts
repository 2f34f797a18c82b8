import { distinctSteps } from './adc-steps';
import type { MappedLayer } from './layer-job';

/** Room for the outputs of a layer, zeros: integers where all steps are. */
export function outputArray(
  layer: MappedLayer,
  length: number,
  buffer: (bytes: number) => ArrayBuffer | SharedArrayBuffer = (bytes) => new ArrayBuffer(bytes),
): Int32Array | Float64Array {
  const whole = distinctSteps(layer).every(Number.isInteger);
  return whole ? new Int32Array(buffer(4 * length)) : new Float64Array(buffer(8 * length));
}

/**
 * The digital end: adds the encoding's constant times each vector's input sum, which no ADC sees, to weighted sums of ADC
 * codes times steps. A complemented tile stores -1 - c for c, so there the constant is -1 - offset.
 */
export function addOffset(
  { inputRows, columns, wiring, encoding, tiles, flips }: MappedLayer,
  outputs: Int32Array | Float64Array,
  inputs: Uint8Array | Int8Array,
): void {
  const { offset } = encoding;
  const width = columns / wiring.length;
  const vectors = inputs.length / inputRows;
  for (let vector = 0; vector < vectors; vector++) {
    wiring.forEach((elements, group) => {
      for (let tile = 0; tile + 1 < tiles.length; tile++) {
        let sum = 0;
        for (let row = tiles[tile]; row < tiles[tile + 1]; row++)
          sum += inputs[vector * inputRows + elements[row]];
        for (let column = group * width; column < (group + 1) * width; column++)
          outputs[vector * columns + column] +=
            (flips?.[tile * columns + column] ? -1 - offset : offset) * sum;
      }
    });
  }
}
