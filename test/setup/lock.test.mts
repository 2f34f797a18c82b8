import { spawn } from 'node:child_process';
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { acquireLock, isStale } from '../../src/setup/lock.mjs';
import { sandbox } from './sandbox.mjs';

/** A process number that was in use and no longer is. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.on('exit', resolve));
  return child.pid!;
}

describe('the lock', () => {
  it('lets one in at a time', async () => {
    const path = join(sandbox(), 'lock');
    let inside = 0;
    let most = 0;
    let waited = 0;
    await Promise.all(
      [1, 2, 3].map(async () => {
        const lock = await acquireLock(path, { onWait: () => (waited += 1) });
        inside += 1;
        most = Math.max(most, inside);
        await wait(20);
        inside -= 1;
        await lock.release();
      }),
    );
    expect({ most, waited }).toEqual({ most: 1, waited: 2 });
    expect(existsSync(path)).toBe(false);
  });

  it('stays released however fast programs began and ended under it', async () => {
    const folder = sandbox();
    const lock = await acquireLock(join(folder, 'lock'));
    for (let child = 1; child < 20; child += 1) lock.setChild(child);
    await lock.release();
    await wait(50);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken over from a process that was killed', async () => {
    const path = join(sandbox(), 'lock');
    writeFileSync(path, JSON.stringify({ pid: await deadProcess(), host: hostname(), child: null }));
    const lock = await acquireLock(path);
    await lock.release();
  });

  it('is not taken over while a program of the killed process still writes', async () => {
    const holder = { pid: await deadProcess(), host: hostname(), child: process.pid };
    expect(isStale(holder, 0, 60_000)).toBe(false);
    expect(isStale({ ...holder, child: null }, 0, 60_000)).toBe(true);
  });

  it('is taken over from a process number that the system gave to another, or another host, once its pulse has stopped', () => {
    const holder = { pid: process.pid, host: hostname(), child: null };
    expect(isStale(holder, 59_000, 60_000)).toBe(false);
    expect(isStale(holder, 61_000, 60_000)).toBe(true);
    expect(isStale({ ...holder, host: 'elsewhere' }, 1000, 60_000)).toBe(false);
  });

  it('is taken over when its file is damaged and old', async () => {
    const path = join(sandbox(), 'lock');
    writeFileSync(path, '{"pid":');
    utimesSync(path, new Date(0), new Date(0));
    const lock = await acquireLock(path);
    await lock.release();
  });
});
