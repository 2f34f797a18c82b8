import fc from 'fast-check';
import { encodingNames, planeEncoding } from '../../src/bitplanes/plane-encoding';
import { roundings } from '../../src/crossbar/adc';
import { type AdcSteps, type StepGranularity, stepGranularities } from '../../src/crossbar/adc-steps';
import { inputForms, inputSlices } from '../../src/crossbar/input-slices';
import { type LayerInput, mapInput } from '../../src/crossbar/layer-job';
import { rowSplits } from '../../src/crossbar/row-tiles';
import { randomStream } from '../../src/tensor/random';

/** A random layer in a random configuration, without its ADC. */
export const randomLayers: fc.Arbitrary<LayerInput> = fc
  .record({
    seed: fc.nat(),
    rows: fc.integer({ min: 1, max: 70 }),
    columns: fc.integer({ min: 1, max: 4 }),
    vectors: fc.integer({ min: 1, max: 20 }),
    tileRows: fc.integer({ min: 1, max: 80 }),
    rowSplit: fc.constantFrom(...rowSplits),
    weightBits: fc.integer({ min: 2, max: 8 }),
    cellBits: fc.integer({ min: 1, max: 4 }),
    encoding: fc.constantFrom(...encodingNames),
    analog: fc.boolean(),
    inputBits: fc.integer({ min: 2, max: 8 }),
    inputForm: fc.constantFrom(...inputForms),
    dacBits: fc.integer({ min: 1, max: 4 }),
    density: fc.constantFrom(0, 0.1, 0.5, 1),
    // The common case: one-bit cells and DACs, polarities read apart.
    plain: fc.boolean(),
    flip: fc.boolean(),
  })
  .map(({ seed, density, analog, plain, flip, ...given }) => {
    const cellBits = plain || given.encoding === 'csd' ? 1 : given.cellBits;
    const dacBits = plain || given.inputForm === 'twos-complement' ? 1 : given.dacBits;
    const encoding = planeEncoding(given.encoding, given.weightBits, cellBits);
    const slices = inputSlices(given.inputBits, dacBits, given.inputForm);
    const random = randomStream(seed, 'layer');
    const draw = (low: number, high: number) => low + random.integer(high - low + 1);
    const inputs = new (given.inputForm === 'unsigned' ? Uint8Array : Int8Array)(given.rows * given.vectors);
    for (let i = 0; i < inputs.length; i++) inputs[i] = draw(slices.minCode, slices.maxCode);
    const codes = Int8Array.from({ length: given.rows * given.columns }, () =>
      random.uniform() < density ? draw(encoding.minCode, encoding.maxCode) : 0,
    );
    const subtraction = analog && encoding.polarities === 2 && !plain ? 'analog' : 'digital';
    const tiles = Math.ceil(given.rows / given.tileRows);
    const flips =
      flip && given.encoding === 'offset'
        ? Uint8Array.from({ length: tiles * given.columns }, () => random.integer(2))
        : undefined;
    return { ...given, cellBits, dacBits, subtraction, inputs, codes, flips };
  });

export const randomAdcs = fc.record({
  bits: fc.integer({ min: 2, max: 9 }),
  // Fractions that floats hold exactly, so that the order of additions does not show.
  step: fc.constantFrom(1, 2, 3, 0.5, 1.75, 2.375),
  rounding: fc.constantFrom(...roundings),
});

/** What makes steps for any layer: some share a step, not all are whole. */
export const randomSteps = fc.record({
  seed: fc.nat(),
  granularity: fc.constantFrom(...stepGranularities),
  choice: fc.constantFrom([1, 2], [1, 2, 3, 7], [1, 0.5, 1.75]),
});

/** Steps that fit a layer. */
export function stepsFor(
  layer: LayerInput,
  { seed, granularity, choice }: { seed: number; granularity: StepGranularity; choice: readonly number[] },
): AdcSteps {
  const { tiles, columns, readouts } = mapInput(layer);
  const arrays = tiles.length - 1;
  const length = { layer: 1, array: arrays, column: arrays * columns * readouts.length }[granularity];
  const random = randomStream(seed, 'steps');
  return { granularity, values: Float64Array.from({ length }, () => choice[random.integer(choice.length)]) };
}

/** ADC bits of its own for each bit plane of a layer, 2 to 6. */
export function planeBitsFor(layer: LayerInput, seed: number): number[] {
  const random = randomStream(seed, 'bits');
  return Array.from({ length: mapInput(layer).encoding.planes }, () => 2 + random.integer(5));
}

/** A layer of stated size with random codes and inputs. */
export function someLayer(rows: number, columns: number, vectors: number, seed = 1): LayerInput {
  const random = randomStream(seed, 'some layer');
  const codes = Int8Array.from({ length: rows * columns }, () => random.integer(255) - 127);
  const inputs = Uint8Array.from({ length: rows * vectors }, () => random.integer(256));
  return { codes, inputs, rows, columns, vectors };
}

/** The plain matrix product. */
export function integerProduct({ codes, inputs, rows, columns, vectors }: LayerInput): number[] {
  return Array.from({ length: vectors * columns }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < rows; k++) {
      sum += codes[k * columns + (i % columns)] * inputs[Math.floor(i / columns) * rows + k];
    }
    return sum;
  });
}
