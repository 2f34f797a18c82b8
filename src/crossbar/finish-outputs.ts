import { adcStep } from './adc';
import type { MappedLayer } from './layer-job';

/**
 * The digital end: weighted sums of ADC codes [vectors, columns] times the step, and the encoding's constant times each
 * vector's input sum, which no ADC sees. Integers for a whole step. `inputs` gives [vectors, inputRows].
 */
export function finishOutputs(
  layer: MappedLayer,
  codes: Int32Array | Float64Array,
  inputs: () => Uint8Array | Int8Array,
): Int32Array | Float64Array {
  const step = adcStep(layer.adc);
  const Kind = Number.isInteger(step) ? Int32Array : Float64Array;
  const outputs = codes instanceof Kind ? codes : Kind.from(codes);
  if (step !== 1) for (let i = 0; i < outputs.length; i++) outputs[i] *= step;
  if (layer.encoding.offset !== 0) addOffset(layer, outputs, inputs());
  return outputs;
}

/**
 * Adds the encoding's constant times each vector's input sum. A complemented tile stores -1 - c for c, so there the
 * constant is -1 - offset.
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
