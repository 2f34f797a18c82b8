import type { Raster } from './resize';

/**
 * Decodes a JPEG, PNG or WebP file to RGB bytes as Pillow's `Image.open(path).convert('RGB')` does: colour profiles and
 * orientation tags are not applied, grey becomes three equal channels, alpha is dropped, CMYK is converted plainly.
 * The work is done in sharp's own threads. Rejects for a file that is no picture or is damaged.
 */
export async function decodePicture(path: string): Promise<Raster> {
  const { default: sharp } = await import('sharp');
  const image = sharp(path, { failOn: 'truncated', ignoreIcc: true });
  const { space } = await image.metadata();
  const decoded = space === 'cmyk' ? image.pipelineColourspace('cmyk').toColourspace('cmyk') : image;
  const { data, info } = await decoded.raw().toBuffer({ resolveWithObject: true });
  const raster = { pixels: data, height: info.height, width: info.width, channels: info.channels };
  return toRgb(raster, space === 'cmyk');
}

function toRgb(image: Raster, cmyk: boolean): Raster {
  const { pixels: source, height, width, channels } = image;
  if (channels === 3) return image;
  const pixels = new Uint8Array(height * width * 3);
  for (let i = 0, from = 0; i < pixels.length; i += 3, from += channels) {
    for (let c = 0; c < 3; c++) {
      if (cmyk) pixels[i + c] = withoutInk(source[from + c], source[from + 3]);
      else pixels[i + c] = source[channels < 3 ? from : from + c];
    }
  }
  return { pixels, height, width, channels: 3 };
}

/** What a colour ink and black leave of white, with Pillow's rounding of the product of two bytes. */
function withoutInk(ink: number, black: number): number {
  const white = 255 - black;
  const product = ink * white + 128;
  return Math.max(0, white - (((product >> 8) + product) >> 8));
}
