import type { MatchAccount } from './match-parameters';

/** The first few of `items`, and how many there are beyond. */
export function firstFew(items: readonly string[], few = 3): string {
  const rest = items.length - few;
  return items.slice(0, few).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** The account of a match as lines of text: first the sum, then what differs, with the first few names of each. */
export function describeAccount(account: MatchAccount): string[] {
  const { matched, total, byOrder, missing, unused, shapeMismatches } = account;
  const lines = [`${matched} of ${total} parameters matched, ${matched - byOrder.length} by name`];
  if (byOrder.length > 0) {
    const pairs = byOrder.map(({ parameter, from }) => `${from} -> ${parameter}`);
    lines.push(`${byOrder.length} by order and shape (check the accuracy): ${firstFew(pairs)}`);
  }
  if (shapeMismatches.length > 0) {
    const shapes = shapeMismatches.map(
      ({ parameter, needed, found }) => `${parameter} is [${found}], needed [${needed}]`,
    );
    lines.push(`${shapeMismatches.length} of another shape: ${firstFew(shapes)}`);
  }
  if (missing.length > 0) lines.push(`${missing.length} missing: ${firstFew(missing)}`);
  if (unused.length > 0) lines.push(`${unused.length} in the file unused: ${firstFew(unused)}`);
  return lines;
}
