/** Beginnings of the names of constants that no cost reads: sums of published numbers use them, on paper alone. */
const ON_PAPER = [
  'sar.table.',
  'macro.adc.power',
  'macro.adc.area',
  'tile.edram.power',
  'tile.bus.power',
  'tile.router.power',
  'array.columns',
  'flash.share.',
];

/** Whether a constant moves no cost of a design, only `publishedChecks` and `shareGains`. */
export function isOnPaperAlone(constant: string): boolean {
  return ON_PAPER.some((beginning) => constant.startsWith(beginning));
}
