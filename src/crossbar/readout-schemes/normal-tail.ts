/** P(X >= x) of a standard normal X; relative error below 2e-7 (Chebyshev fit of erfc, Press et al., Numerical Recipes 6.2). */
export function normalTail(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * z);
  let poly = 0;
  for (let i = COEFFICIENTS.length - 1; i >= 0; i--) poly = poly * t + COEFFICIENTS[i];
  const tail = 0.5 * t * Math.exp(-z * z + poly);
  return x >= 0 ? tail : 1 - tail;
}

const COEFFICIENTS = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];
