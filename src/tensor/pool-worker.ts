import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import type { PartWorker } from './parallel';
import { type PoolControl, reportFailure, takeParts } from './pool-control';

/** What a pool sends to its threads for each job. */
export interface PoolMessage {
  readonly module: string;
  readonly name: string;
  readonly argument: unknown;
  readonly parts: number;
  readonly control: PoolControl;
}

parentPort?.on('message', ({ module, name, argument, parts, control }: PoolMessage) => {
  try {
    const worker = require(join(__dirname, '..', module))[name] as PartWorker<unknown>;
    worker(argument, takeParts(control, parts));
  } catch (error) {
    reportFailure(control, parts, error);
  }
});
