/** The class of the largest of `classes` numbers from `from` on, the first of several. */
export function largestClass(values: ArrayLike<number>, from: number, classes: number): number {
  let best = 0;
  for (let c = 1; c < classes; c++) if (values[from + c] > values[from + best]) best = c;
  return best;
}
