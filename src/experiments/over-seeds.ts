/** Two-sided 95 % quantiles of Student's t for 1 to 9 degrees of freedom; beyond, the normal one is near enough. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];

/** Mean over seeds and the half width of its 95 % interval (Student's t); 0 where there is but one. */
export function overSeeds(values: readonly number[]): { readonly mean: number; readonly interval: number } {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, interval: 0 };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { mean, interval: (STUDENT[count - 2] ?? 1.96) * Math.sqrt(variance / count) };
}
