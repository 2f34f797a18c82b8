import { largestOf, type PerPlane } from '../bitplanes/per-plane';

/**
 * ADC resolution of all layers alike, or by layer; of a layer one number, or one a bit plane (lowest first), 0 where a
 * plane holds no ones and needs no ADC.
 */
export type AdcBits = number | Readonly<Record<string, PerPlane>>;

/** ADC resolution of one layer. */
export function adcBitsOf(adcBits: AdcBits, layer: string): PerPlane {
  return typeof adcBits === 'number' ? adcBits : adcBits[layer];
}

/** The largest resolution of all layers and planes. */
export function largestAdcBits(adcBits: AdcBits): number {
  return largestOf(allBits(adcBits));
}

/** For people: `3`, or `1 to 5` where layers or planes differ; planes without ADC are not counted. */
export function adcBitsText(adcBits: AdcBits): string {
  const all = allBits(adcBits).filter((bits) => bits > 0);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  return least === most ? `${least}` : `${least} to ${most}`;
}

/** The resolutions of all layers and planes, one after the other. */
export function allBits(adcBits: AdcBits): readonly number[] {
  return typeof adcBits === 'number' ? [adcBits] : Object.values(adcBits).flat();
}
