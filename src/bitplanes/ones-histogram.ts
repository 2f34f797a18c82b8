/** How many bit columns hold 0, 1, 2, ... ones; as long as the largest count + 1. */
export function onesHistogram(counts: Uint16Array | Uint32Array): Uint32Array {
  let max = 0;
  for (const count of counts) if (count > max) max = count;
  const histogram = new Uint32Array(counts.length === 0 ? 0 : max + 1);
  for (const count of counts) histogram[count]++;
  return histogram;
}
