import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Raster, resizeBilinear, resizeToSquare } from '../../src/data/resize';

const sha256 = ({ pixels }: Raster) => createHash('sha256').update(pixels).digest('hex');

/** A picture that is easily made in any language: byte i is floor((31 i^2 + 7 i) / 8) mod 256. */
function picture(height: number, width: number): Raster {
  const pixels = Uint8Array.from(
    { length: height * width * 3 },
    (_, i) => Math.floor((i * i * 31 + i * 7) / 8) % 256,
  );
  return { pixels, height, width, channels: 3 };
}

describe('resizeBilinear', () => {
  // SHA-256 of Pillow 11.3.0's Image.resize((width, height), BILINEAR) of the same 45 x 61 picture.
  it.each([
    [24, 24, '12e568337ac982ab7bd3a289a419635551b38d013d1fdcca8526b4808c0a9314'],
    [20, 61, '03649822d830158b71a4d79b82e0fc37f9b0d55a1633044580112fc5b1a4db6f'],
    [45, 30, '1346747f1e890daeafa98428dcc308907b32a78042511e27735715eebbc9da09'],
    [90, 100, '75a6f981e2f1a109f84cb7d09716e74d2a39326006f2e8d7f19f6b89900915ce'],
    [60, 7, 'b7f968b354b412e7cd8b4a9a384ddf4e4f5aa103fb760bab82f93cdce862a26e'],
    [1, 1, '79a3837141c281bf2f9d2928dd77af7b60bd7dc72be94947eaaa50d11eddec88'],
  ])('equals Pillow bit for bit from 45 x 61 to %i x %i', (height, width, expected) => {
    const resized = resizeBilinear(picture(45, 61), height, width);
    expect([resized.height, resized.width]).toEqual([height, width]);
    expect(sha256(resized)).toBe(expected);
  });

  it('leaves a picture of the right size as it is', () => {
    const image = picture(4, 5);
    expect(resizeBilinear(image, 4, 5).pixels).toEqual(image.pixels);
  });
});

describe('resizeToSquare', () => {
  // SHA-256 of torchvision's Resize and CenterCrop, done with Pillow 11.3.0.
  it.each([
    [45, 61, 32, 'f8c8f939532bd82b76def5263639c9e09fe0bd272616d1d573441e7febd32581'],
    [61, 45, 33, '9c5f7aca97f255e2fa4142abe0262b32207499ea6c6197cf15d4d7b676635391'],
  ])('prepare a %i x %i picture as torchvision does', (height, width, resize, expected) => {
    expect(sha256(resizeToSquare(picture(height, width), resize, 24))).toBe(expected);
  });

  it.each([
    [1, 65_000],
    [65_000, 1],
  ])('takes a picture of %i x %i, too long to be enlarged whole', (height, width) => {
    const { pixels } = resizeToSquare(picture(height, width), 256, 224);
    expect(pixels).toHaveLength(224 * 224 * 3);
  });
});
