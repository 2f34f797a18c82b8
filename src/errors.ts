/**
 * A mistake in what the user gave: a file, a name, a number. The message is one line that says what is wrong,
 * where, and what is allowed. The command line prints the line alone and exits with status 1; any other error
 * is a fault of ours and keeps its stack.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** What `act` returns; an InputError of it tells `where` first: a file, a layer. */
export function inputAt<T>(where: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${where}: ${error.message}`);
    throw error;
  }
}
