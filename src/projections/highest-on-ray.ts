/**
 * Moves along a ray to about where a concave function is highest: `slopeAt` evaluates at t >= 0 and gives the slope
 * there. The last t tried is close to the top.
 */
export function highestOnRay(slopeAt: (t: number) => number): void {
  let low = 0;
  let high = 1;
  while (high < 2 ** 40 && slopeAt(high) > 0) {
    low = high;
    high *= 4;
  }
  for (let i = 0; i < 3; i++) {
    const middle = (low + high) / 2;
    if (slopeAt(middle) > 0) low = middle;
    else high = middle;
  }
}
