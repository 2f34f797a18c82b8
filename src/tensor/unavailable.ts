import { InputError } from '../errors';

/** The one line a user reads where the native engine is missing; `cause` is kept for those who debug set-up. */
export function engineUnavailable(cause: unknown): InputError {
  return new InputError(
    'the native TensorFlow engine is not installed, and training and pruning need it: run `npm run setup`',
    { cause },
  );
}
