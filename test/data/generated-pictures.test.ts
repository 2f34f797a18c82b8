import { describe, expect, it } from 'vitest';
import { generatedPictures } from '../../src/data/generated-pictures';
import { InputError } from '../../src/errors';

describe('generatedPictures', () => {
  it('gives the same bytes for the same options on every machine', () => {
    expect(generatedPictures({ train: 200, test: 100 }).checksums).toEqual({
      train: 'e772093d8f41643c7a264774aa562c89272b35032ea081ec81439757d43c24b4',
      test: '47e0a9539b535e1a8ef794d7b9e1ae7ca747e716189b88ecf13b3029e97470cc',
    });
    expect(generatedPictures({ train: 200, test: 100, seed: 1 }).checksums.train).not.toBe(
      'e772093d8f41643c7a264774aa562c89272b35032ea081ec81439757d43c24b4',
    );
  });

  it('gives balanced classes, and test pictures that are none of the training pictures', () => {
    const { train, test, classes } = generatedPictures({ train: 100, test: 100 });
    expect(classes).toHaveLength(10);
    for (let c = 0; c < 10; c++) expect(train.labels.filter((label) => label === c)).toHaveLength(10);
    const pictures = new Set<string>();
    for (const { pixels, count } of [train, test]) {
      for (let i = 0; i < count; i++) pictures.add(pixels.subarray(i * 3072, (i + 1) * 3072).join());
    }
    expect(pictures.size).toBe(200);
  });

  it('begins with the same pictures when more are asked for', () => {
    const few = generatedPictures({ train: 20, test: 1 }).train.pixels;
    const many = generatedPictures({ train: 30, test: 1 }).train.pixels;
    expect(many.subarray(0, few.length)).toEqual(few);
  });

  it('says that it is not CIFAR10', () => {
    const { title, real } = generatedPictures({ train: 10, test: 10 });
    expect(title).toMatch(/not CIFAR10/);
    expect(real).toBe(false);
  });

  it('states mean and deviation of its training pixels', () => {
    const { train, mean, std } = generatedPictures({ train: 50, test: 1 });
    for (let c = 0; c < 3; c++) {
      const values = Array.from(
        train.pixels.filter((_, i) => i % 3 === c),
        (value) => value / 255,
      );
      const average = values.reduce((a, b) => a + b) / values.length;
      const variance = values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length;
      expect(mean[c]).toBeCloseTo(average, 4);
      expect(std[c]).toBeCloseTo(Math.sqrt(variance), 4);
    }
  });

  it('can be of other sizes and fewer classes', () => {
    const { train, classes } = generatedPictures({ train: 7, test: 1, size: 17, classes: 3 });
    expect([train.height, train.width, train.pixels.length]).toEqual([17, 17, 7 * 17 * 17 * 3]);
    expect(classes).toHaveLength(3);
    expect([...train.labels]).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  it('names an option out of range', () => {
    expect(() => generatedPictures({ classes: 11 })).toThrow(InputError);
    expect(() => generatedPictures({ classes: 11 })).toThrow(
      'classes: 11 is not a whole number from 2 to 10',
    );
    expect(() => generatedPictures({ size: 8 })).toThrow('size: 8 is not a whole number from 16 to 1024');
  });
});
