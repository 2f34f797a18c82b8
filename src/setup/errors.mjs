/** The step cannot be completed and the set-up ends here: one clear line, exit status 1, nothing half-written. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}

/** What was downloaded is something else than what was asked for. */
export class WrongContent extends SetupError {
  /** @override */
  name = 'WrongContent';
}

/** The step cannot be done on this machine at all; the set-up goes on without it and says so in one line. */
export class Unavailable extends Error {
  /** @override */
  name = 'Unavailable';
}

const NO_SPACE = /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i;
const NO_PERMISSION = /EACCES|EPERM|EROFS|permission denied|read-only file system/i;

/**
 * What went wrong, in one line for the person at the terminal.
 *
 * @param {unknown} error anything thrown
 * @param {string} root the checkout
 * @returns {string}
 */
export function plainMessage(error, root) {
  const text = error instanceof Error ? error.message : String(error);
  const code = /** @type {{code?: string, path?: string}} */ (error ?? {});
  if (NO_SPACE.test(`${code.code ?? ''} ${text}`))
    return `no disk space left for ${root}; free some and run this again`;
  if (NO_PERMISSION.test(`${code.code ?? ''} ${text}`)) {
    const place = code.path && !code.path.startsWith(root) ? code.path : root;
    return `no permission to write in ${place}; make it writable for this user and run this again`;
  }
  return text.split('\n')[0];
}
