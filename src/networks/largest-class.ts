/** The class of the largest of `classes` numbers from `from` on, the first of several; NaN is below every number. */
export function largestClass(values: ArrayLike<number>, from: number, classes: number): number {
  let best = 0;
  for (let c = 1; c < classes; c++) {
    const largest = values[from + best];
    if (values[from + c] > largest || Number.isNaN(largest)) best = c;
  }
  return best;
}
