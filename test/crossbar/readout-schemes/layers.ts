import fc from 'fast-check';
import { encodingNames, planeEncoding } from '../../../src/bitplanes/plane-encoding';
import { inputForms, inputSlices } from '../../../src/crossbar/input-slices';
import type { LayerInput } from '../../../src/crossbar/layer-job';
import { rowSplits } from '../../../src/crossbar/row-tiles';
import { randomStream } from '../../../src/tensor/random';

/** A random small layer in a random configuration, without its ADC. */
export const layers: fc.Arbitrary<LayerInput> = fc
  .record({
    seed: fc.nat(),
    rows: fc.integer({ min: 1, max: 40 }),
    columns: fc.integer({ min: 1, max: 3 }),
    vectors: fc.integer({ min: 1, max: 6 }),
    tileRows: fc.integer({ min: 1, max: 40 }),
    rowSplit: fc.constantFrom(...rowSplits),
    weightBits: fc.integer({ min: 2, max: 8 }),
    cellBits: fc.integer({ min: 1, max: 3 }),
    encoding: fc.constantFrom(...encodingNames),
    analog: fc.boolean(),
    inputBits: fc.integer({ min: 2, max: 8 }),
    inputForm: fc.constantFrom(...inputForms),
    dacBits: fc.integer({ min: 1, max: 3 }),
    density: fc.constantFrom(0, 0.1, 0.5, 1),
    activity: fc.constantFrom(0, 0.3, 1),
    flip: fc.boolean(),
  })
  .map(({ seed, density, activity, analog, flip, ...given }) => {
    const cellBits = given.encoding === 'csd' ? 1 : given.cellBits;
    const dacBits = given.inputForm === 'twos-complement' ? 1 : given.dacBits;
    const encoding = planeEncoding(given.encoding, given.weightBits, cellBits);
    const slices = inputSlices(given.inputBits, dacBits, given.inputForm);
    const random = randomStream(seed, 'layer');
    const draw = (share: number, low: number, high: number) =>
      random.uniform() < share ? low + random.integer(high - low + 1) : 0;
    const inputs = new (given.inputForm === 'unsigned' ? Uint8Array : Int8Array)(given.rows * given.vectors);
    for (let i = 0; i < inputs.length; i++) inputs[i] = draw(activity, slices.minCode, slices.maxCode);
    const codes = Int8Array.from({ length: given.rows * given.columns }, () =>
      draw(density, encoding.minCode, encoding.maxCode),
    );
    const subtraction = analog && encoding.polarities === 2 ? 'analog' : 'digital';
    const tiles = Math.ceil(given.rows / given.tileRows);
    const flips =
      flip && given.encoding === 'offset'
        ? Uint8Array.from({ length: tiles * given.columns }, () => random.integer(2))
        : undefined;
    return { ...given, cellBits, dacBits, subtraction, inputs, codes, flips };
  });
