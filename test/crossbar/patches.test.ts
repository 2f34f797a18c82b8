import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputPatches } from '../../src/crossbar/patches';

describe('inputPatches', () => {
  it('orders rows as (ky, kx, c)', () => {
    const codes = Uint8Array.from({ length: 3 * 3 * 2 }, (_, i) => i + 1);
    const { inputs, vectors, rows } = inputPatches(
      codes,
      { count: 1, height: 3, width: 3, channels: 2 },
      { kernel: 2 },
    );
    expect([vectors, rows]).toEqual([4, 8]);
    expect([...inputs.subarray(0, 8)]).toEqual([1, 2, 3, 4, 7, 8, 9, 10]);
    expect([...inputs.subarray(24)]).toEqual([9, 10, 11, 12, 15, 16, 17, 18]);
  });

  it('equals picking each element for any stride and padding', () => {
    const small = fc.integer({ min: 1, max: 5 });
    const settings = fc.record({
      count: fc.integer({ min: 1, max: 2 }),
      height: small,
      width: small,
      channels: fc.integer({ min: 1, max: 3 }),
      kernel: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 3 }),
      before: fc.integer({ min: 0, max: 3 }),
      after: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(settings, ({ count, height, width, channels, kernel, stride, before, after }) => {
        fc.pre(Math.min(height, width) + before + after >= kernel);
        const codes = Uint8Array.from(
          { length: count * height * width * channels },
          (_, i) => (i * 37) & 255,
        );
        const { inputs, outHeight, outWidth } = inputPatches(
          codes,
          { count, height, width, channels },
          { kernel, stride, padding: [before, after], paddingCode: 9 },
        );
        let at = 0;
        for (let n = 0; n < count; n++)
          for (let oy = 0; oy < outHeight; oy++)
            for (let ox = 0; ox < outWidth; ox++)
              for (let ky = 0; ky < kernel; ky++)
                for (let kx = 0; kx < kernel; kx++)
                  for (let c = 0; c < channels; c++) {
                    const y = oy * stride + ky - before;
                    const x = ox * stride + kx - before;
                    const inside = y >= 0 && y < height && x >= 0 && x < width;
                    const code = inside ? codes[((n * height + y) * width + x) * channels + c] : 9;
                    if (inputs[at++] !== code) throw new Error(`element ${at - 1}`);
                  }
        expect(at).toBe(inputs.length);
      }),
    );
  });

  it('refuses a kernel larger than the picture and codes of another size', () => {
    const pictures = { count: 1, height: 2, width: 2, channels: 1 };
    expect(() => inputPatches(new Uint8Array(4), pictures, { kernel: 3 })).toThrow(/kernel: 3 is larger/);
    expect(() => inputPatches(new Uint8Array(5), pictures, { kernel: 1 })).toThrow(/5 codes are not 1 x 2/);
  });
});
