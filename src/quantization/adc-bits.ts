/** ADC resolution of all layers alike, or by layer. */
export type AdcBits = number | Readonly<Record<string, number>>;

/** ADC resolution of one layer. */
export function adcBitsOf(adcBits: AdcBits, layer: string): number {
  return typeof adcBits === 'number' ? adcBits : adcBits[layer];
}

/** For people: `3`, or `1 to 5` where layers differ. */
export function adcBitsText(adcBits: AdcBits): string {
  if (typeof adcBits === 'number') return `${adcBits}`;
  const all = Object.values(adcBits);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  return least === most ? `${least}` : `${least} to ${most}`;
}
