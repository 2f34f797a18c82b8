import {
  type CodebookChoice,
  type CodebookColumn,
  measureOptions,
  optionCost,
  roundedOption,
} from './codebook-column';

/**
 * Truncation for any codebook whose zero has no ones: keeps the rows that matter most, rounded, as many as every bit
 * column of the polarities they use allows even with the largest digits; the rest is zero.
 */
export function codebookTruncate(column: CodebookColumn, choice: CodebookChoice): void {
  const { book, rows, targets } = column;
  const { resources, uses, most, budgets, zero, planes, polarities } = book;
  const room = Array.from({ length: polarities }, (_, polarity) => {
    const first = polarity * planes;
    const each = Array.from({ length: planes }, (_, plane) => {
      const largest = most[first + plane];
      return largest > 0 ? Math.floor(budgets[first + plane] / largest) : Infinity;
    });
    return Math.min(...each);
  });
  const rounded = Int16Array.from({ length: rows }, (_, row) => roundedOption(book, targets[row]));
  const benefit = Float64Array.from(
    rounded,
    (option, row) => optionCost(column, row, zero) - optionCost(column, row, option),
  );
  const order = Int32Array.from({ length: rows }, (_, row) => row).sort((a, b) => benefit[b] - benefit[a]);
  let places = budgets[resources - 1];
  for (const row of order) {
    const word = uses.subarray(rounded[row] * resources, (rounded[row] + 1) * resources - 1);
    const touched = room.map((_, polarity) =>
      word.subarray(polarity * planes, (polarity + 1) * planes).some((digit) => digit > 0),
    );
    const keep =
      rounded[row] !== zero && places > 0 && touched.every((used, polarity) => !used || room[polarity] > 0);
    choice.options[row] = keep ? rounded[row] : zero;
    if (!keep) continue;
    places--;
    touched.forEach((used, polarity) => {
      if (used) room[polarity]--;
    });
  }
  measureOptions(column, choice);
}
