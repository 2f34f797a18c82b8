import { InputError } from '../errors';
import { fileError } from '../networks/file-errors';

/**
 * Writes a line to `stream` and waits until it is out. A reader that has gone, as `head` does, is no error.
 * @throws InputError where the line is lost, as on a full disk
 */
export function writeResult(line: string, stream: NodeJS.WriteStream = process.stdout): Promise<void> {
  return new Promise((fulfil, reject) => {
    // What the write itself reports is an event, too.
    stream.once('error', () => undefined);
    stream.write(`${line}\n`, (error) => {
      const { code } = (error ?? {}) as NodeJS.ErrnoException;
      if (!error || code === 'EPIPE') return fulfil();
      const known = fileError('the result on stdout', 'write', error);
      reject(
        known instanceof InputError ? known : new InputError(`cannot write the result: ${error.message}`),
      );
    });
  });
}
