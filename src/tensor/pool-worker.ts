import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { collectGarbage } from './collect-garbage';
import type { PartWorker } from './parallel';
import { type PoolControl, reportFailure, takeParts } from './pool-control';

/** What a pool sends to its threads for each job. */
export interface PoolMessage {
  readonly module: string;
  readonly name: string;
  readonly argument: unknown;
  readonly parts: number;
  readonly control: PoolControl;
  /** Whether the thread shall collect its garbage, which holds shared memory of earlier jobs. */
  readonly collect: boolean;
}

parentPort?.on('message', ({ module, name, argument, parts, control, collect }: PoolMessage) => {
  if (collect) collectGarbage();
  try {
    const worker = require(join(__dirname, '..', module))[name] as PartWorker<unknown>;
    worker(argument, takeParts(control, parts));
  } catch (error) {
    reportFailure(control, parts, error);
  }
});
