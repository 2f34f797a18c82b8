import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/setup/context.mjs';
import { plainMessage, SetupError, Unavailable } from '../../src/setup/errors.mjs';
import { createReport } from '../../src/setup/report.mjs';
import { runSteps } from '../../src/setup/run-steps.mjs';
import { listener, sandbox } from './sandbox.mjs';

/** A step that is done when its file is there. */
function fileStep(name: string, work: Partial<Step> = {}): Step {
  return {
    name,
    megabytes: 0,
    ready: async ({ root }) => (existsSync(join(root, name)) ? 'there' : null),
    what: () => 'writing',
    work: async ({ root }) => {
      writeFileSync(join(root, name), '');
      return 'written';
    },
    ...work,
  };
}

async function outcome(steps: Step[], root = sandbox(), options = {}) {
  const stream = listener();
  const report = createReport(stream);
  const result = await runSteps(root, steps, report, options).catch((error) => error);
  return { result, lines: stream.lines, root };
}

describe('the set-up', () => {
  it('does what is missing, says each thing in a line with its time, and does nothing the second time', async () => {
    const first = await outcome([fileStep('a'), fileStep('b')]);
    expect(first.lines.filter((line) => /^[ab] +written, 0\.0 s$/.test(line))).toHaveLength(2);
    const second = await outcome([fileStep('a'), fileStep('b')], first.root);
    expect(second.lines).toHaveLength(1);
    expect(second.lines[0]).toMatch(/^Set-up is complete: a: there · b: there/);
    expect(readdirSync(join(first.root, '.setup'))).toEqual(['state.json']);
  });

  it('goes on without what this machine cannot have and says what is missed', async () => {
    const impossible = fileStep('a', {
      without: 'no training',
      work: async () => {
        throw new Unavailable('there is none');
      },
    });
    const { result, lines, root } = await outcome([impossible, fileStep('b')]);
    expect(result.map(({ state }: { state: string }) => state)).toEqual(['left out', 'done']);
    expect(lines.join('\n')).toContain('left out: there is none; no training');
    expect(existsSync(join(root, 'b'))).toBe(true);
  });

  it('ends with one clear line where a step fails, and leaves no temporary file and no lock', async () => {
    const full = fileStep('a', {
      work: async ({ temporary }) => {
        writeFileSync(join(temporary, 'half'), '');
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      },
    });
    const { result, root } = await outcome([full, fileStep('b')]);
    expect(result).toBeInstanceOf(SetupError);
    expect(result.message).toBe(`a: no disk space left for ${root}; free some and run this again`);
    expect(readdirSync(root)).toEqual(['.setup']);
    expect(readdirSync(join(root, '.setup'))).toEqual([]);
  });

  it('asks for disk space before it begins', async () => {
    const { result, root } = await outcome([fileStep('a', { megabytes: 1300 })], sandbox(), {
      freeBytes: async () => 5e8,
    });
    expect(result.message).toBe(`a: no disk space: 1300 MB are needed at ${root}, 500 MB are free`);
  });

  it('says that a folder cannot be written', () => {
    const error = Object.assign(new Error('EACCES: permission denied'), {
      code: 'EACCES',
      path: '/x/.setup/lock',
    });
    const end = '; make it writable for this user and run this again';
    expect(plainMessage(error, '/x')).toBe(`no permission to write in /x${end}`);
    expect(plainMessage(error, '/y')).toBe(`no permission to write in /x/.setup/lock${end}`);
    expect(plainMessage(new Error('EROFS: read-only file system'), '/x')).toBe(
      `no permission to write in /x${end}`,
    );
  });

  it('lets a second set-up that starts at the same time wait and find all done', async () => {
    let works = 0;
    const slow = fileStep('a', {
      work: async ({ root }) => {
        works += 1;
        await wait(100);
        writeFileSync(join(root, 'a'), '');
        return 'written';
      },
    });
    const root = sandbox();
    const both = await Promise.all([outcome([slow], root), outcome([slow], root)]);
    expect(works).toBe(1);
    expect(
      both.flatMap(({ lines }) => lines).filter((line) => line.startsWith('Another set-up')),
    ).toHaveLength(1);
  });
});
