import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { descend } from '../../src/admm/hessian-descent';
import { InputError } from '../../src/errors';
import { packageRoot } from '../../src/package-root';
import { projectLayer } from '../../src/projections/project-layer';
import { runParts, threadCount, useThreadPool } from '../../src/tensor/parallel';
import { randomStream } from '../../src/tensor/random';
import { createWorkerPool } from '../../src/tensor/worker-pool';

const { root } = packageRoot();
/** What the threads load; set-up compiles it before the tests run. */
const compiled = existsSync(join(root, 'dist', 'tensor', 'pool-worker.js'));

afterEach(() => {
  useThreadPool(undefined);
});

describe('runParts without a pool', () => {
  it('does every part once, in turn, on the calling thread', () => {
    const done: number[] = [];
    const worker = (list: number[], take: () => number) => {
      for (let part = take(); part >= 0; part = take()) list.push(part);
    };
    runParts(worker, { module: 'none', name: 'none', argument: done, parts: 4, milliseconds: 1e9 });
    expect(done).toEqual([0, 1, 2, 3]);
    expect(threadCount()).toBe(1);
  });
});

describe('createWorkerPool', () => {
  it.each([0, 1.5, 257, Number.NaN])('refuses %s threads', (threads) => {
    expect(() => createWorkerPool(threads)).toThrow(InputError);
  });

  it('makes no pool for one thread', () => {
    expect(createWorkerPool(1)).toBeUndefined();
  });
});

describe.skipIf(!compiled)('a pool of threads', () => {
  const stream = randomStream(5, 'pool');
  const rows = 300;
  const columns = 50;
  const targets = Float32Array.from({ length: rows * columns }, () => 30 * stream.normal());
  const curvature = Float64Array.from({ length: rows }, () => Math.exp(stream.normal()));
  const shape = { rows, columns, tileRows: 128, weightBits: 8, bitLimit: 7 };
  const layer = { ...shape, targets, curvature, scales: new Float32Array(columns).fill(1) };
  const encodings = [
    { encoding: 'sign-split' },
    { encoding: 'csd' },
    { encoding: 'offset', flip: true },
  ] as const;

  it.each(encodings)('does not change a bit of a projection in $encoding, cold or warm', (coding) => {
    const run = () => {
      const first = projectLayer({ ...layer, ...coding, method: 'lagrangian' });
      return [first, projectLayer({ ...layer, ...coding, method: 'lagrangian', state: first.state })];
    };
    const alone = run();
    for (const threads of [2, 3]) {
      useThreadPool(createWorkerPool(threads));
      expect(threadCount()).toBe(threads);
      expect(run()).toEqual(alone);
      useThreadPool(undefined);
    }
  });

  it.each(encodings)('does not change a move of the descent in $encoding', (coding) => {
    const hessian = new Float32Array(rows * rows);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < i; j++) hessian[i * rows + j] = hessian[j * rows + i] = 0.02 * stream.normal();
      hessian[i * rows + i] = 2;
    }
    const { codes: start, flips } = projectLayer({ ...layer, ...coding, method: 'greedy' });
    const problem = { ...shape, ...coding, flips, hessian, targets, valueLimit: rows, rounds: 3 };
    const run = () => {
      const codes = start.slice();
      return { moves: descend(problem, codes), codes };
    };
    const alone = run();
    useThreadPool(createWorkerPool(3));
    expect(run()).toEqual(alone);
    expect(alone.moves).toBeGreaterThan(0);
  });

  it('shares the parts with other threads, tells of their failure, and lets the process end', () => {
    const script = `
      const { createWorkerPool } = require('${root}/dist/tensor/worker-pool.js');
      const { isMainThread } = require('node:worker_threads');
      const shared = new Int32Array(new SharedArrayBuffer(8));
      const slow = (array, take) => {
        for (let part = take(); part >= 0; part = take()) {
          const end = Date.now() + 20;
          while (Date.now() < end);
          Atomics.add(array, 0, 1);
        }
      };
      const pool = createWorkerPool(3);
      const job = { argument: shared, parts: 60, milliseconds: 1000 };
      pool.run(slow, { ...job, module: '../test/tensor/slow-part', name: 'slowPart' });
      const done = [...shared];
      let message = '';
      try { pool.run(slow, { ...job, module: '../test/tensor/slow-part', name: 'failingPart' }); }
      catch (error) { message = error.message; }
      console.log(JSON.stringify({ done, message }));
    `;
    const { done, message } = JSON.parse(
      execFileSync(process.execPath, ['-e', script], { timeout: 20_000, encoding: 'utf8' }),
    );
    expect(done[0] + done[1]).toBe(60);
    expect(done[1]).toBeGreaterThan(0);
    expect(message).toMatch(/a worker thread failed: Error: on purpose/);
  });

  it('keeps no more shared memory than is in use and a quarter of a GiB or so besides, in all threads', () => {
    const script = `
      const { createWorkerPool } = require('${root}/dist/tensor/worker-pool.js');
      const pool = createWorkerPool(2);
      const before = process.memoryUsage.rss();
      let most = 0;
      for (let round = 0; round < 40; round++) {
        const array = new Uint8Array(pool.memory(2 ** 25)).fill(1);
        const job = { module: '../test/tensor/slow-part', name: 'idlePart', argument: array };
        pool.run((_, take) => { while (take() >= 0); }, { ...job, parts: 2, milliseconds: 1000 });
        most = Math.max(most, process.memoryUsage.rss() - before);
      }
      console.log(most / 2 ** 20);
    `;
    const most = Number(
      execFileSync(process.execPath, ['-e', script], { timeout: 60_000, encoding: 'utf8' }),
    );
    // All 40 arrays together would be 1280 MiB.
    expect(most).toBeLessThan(800);
  });
});
