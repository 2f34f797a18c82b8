/** How often each column sum came up: `counts[i]` times the sum `lowest + i`. */
export interface SumHistogram {
  readonly lowest: number;
  /** Whole numbers; floats so that they may exceed 2^32. */
  readonly counts: Float64Array;
}

/** Counts whole sums. */
export function sumHistogram(sums: ArrayLike<number>): SumHistogram {
  if (sums.length === 0) return { lowest: 0, counts: new Float64Array(0) };
  let lowest = Infinity;
  let highest = -Infinity;
  for (let i = 0; i < sums.length; i++) {
    if (sums[i] < lowest) lowest = sums[i];
    if (sums[i] > highest) highest = sums[i];
  }
  const counts = new Float64Array(highest - lowest + 1);
  for (let i = 0; i < sums.length; i++) counts[sums[i] - lowest]++;
  return { lowest, counts };
}

/** Counts sums as they come. */
export interface SumCounter {
  /** Counts sums, rounded to whole ones. */
  add(sums: Float64Array): void;
  /** From the lowest to the highest sum that came. */
  histogram(): SumHistogram;
}

export function sumCounter(): SumCounter {
  let lowest = 0;
  let counts = new Float64Array(64);
  const makeRoom = (sum: number) => {
    const from = Math.min(lowest, 2 * Math.floor(sum));
    const wider = new Float64Array(Math.max(lowest + counts.length, 2 * Math.ceil(sum) + 1) - from);
    wider.set(counts, lowest - from);
    [lowest, counts] = [from, wider];
  };
  return {
    add(sums) {
      for (let i = 0; i < sums.length; i++) {
        let at = Math.floor(sums[i] - lowest + 0.5);
        if (at < 0 || at >= counts.length) {
          makeRoom(sums[i]);
          at = Math.floor(sums[i] - lowest + 0.5);
        }
        counts[at]++;
      }
    },
    histogram() {
      const first = counts.findIndex((count) => count > 0);
      if (first < 0) return sumHistogram([]);
      let end = counts.length;
      while (counts[end - 1] === 0) end--;
      return { lowest: lowest + first, counts: counts.slice(first, end) };
    },
  };
}

/** Adds histograms up. */
export function mergeHistograms(histograms: readonly SumHistogram[]): SumHistogram {
  const filled = histograms.filter(({ counts }) => counts.length > 0);
  if (filled.length === 0) return { lowest: 0, counts: new Float64Array(0) };
  const lowest = Math.min(...filled.map((histogram) => histogram.lowest));
  const end = Math.max(...filled.map((histogram) => histogram.lowest + histogram.counts.length));
  const counts = new Float64Array(end - lowest);
  for (const histogram of filled) {
    const shift = histogram.lowest - lowest;
    for (let i = 0; i < histogram.counts.length; i++) counts[shift + i] += histogram.counts[i];
  }
  return { lowest, counts };
}
