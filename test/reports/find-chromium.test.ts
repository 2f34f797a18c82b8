import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findChromium } from '../../src/reports/find-chromium';
import { scratchFolder } from '../networks/scratch-folder';

const scratch = scratchFolder();

describe('findChromium', () => {
  it('takes CHROME_PATH alone where it is set, else PATH, then usual places and the cache of Playwright', () => {
    const program = (path: string) => {
      const whole = scratch(path);
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, '');
      chmodSync(whole, 0o755);
      return whole;
    };
    const cached = program('.cache/ms-playwright/chromium-1200/chrome-linux/chrome');
    const onPath = program('bin/chromium');
    const named = program('my chrome');
    const env = { HOME: scratch('.'), PATH: join(scratch('.'), 'bin'), CHROME_PATH: named };
    expect(findChromium(env)).toBe(named);
    for (const missing of [scratch('missing'), 'none'])
      expect(findChromium({ ...env, CHROME_PATH: missing })).toBeUndefined();
    expect(findChromium({ ...env, CHROME_PATH: '' })).toBe(onPath);
    const elsewhere = findChromium({ HOME: scratch('.'), PATH: '' });
    if (elsewhere !== cached) expect(elsewhere).toMatch(/^\/(usr|opt|snap|Applications)\/|playwright/);
  });
});
