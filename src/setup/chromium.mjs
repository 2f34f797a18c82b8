import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './run.mjs';

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'microsoft-edge',
];

const FIXED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
];

/** Below a `chromium-NNNN` or `chromium_headless_shell-NNNN` folder of Playwright's cache. */
const IN_PLAYWRIGHT = [
  'chrome-linux/chrome',
  'chrome-linux64/chrome',
  'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
  'chrome-linux/headless_shell',
  'chrome-headless-shell-linux64/chrome-headless-shell',
  'chrome-mac/headless_shell',
];

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {NodeJS.ProcessEnv} env */
function inPlaywrightCache(env) {
  const home = env.HOME || homedir();
  const named = env.PLAYWRIGHT_BROWSERS_PATH;
  const caches = [
    named,
    join(home, '.cache', 'ms-playwright'),
    join(home, 'Library', 'Caches', 'ms-playwright'),
  ];
  const found = [];
  for (const cache of caches) {
    if (!cache || cache === '0') continue;
    try {
      // The newest first.
      const builds = readdirSync(cache)
        .filter((name) => name.startsWith('chromium'))
        .sort()
        .reverse();
      for (const build of builds) for (const place of IN_PLAYWRIGHT) found.push(join(cache, build, place));
    } catch {}
  }
  return found;
}

/**
 * A Chromium (or Chrome) that can draw pictures without a screen: CHROME_PATH, PATH, usual places, Playwright's cache.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | null} its path
 */
export function findChromium(env) {
  if (env.CHROME_PATH && isProgram(env.CHROME_PATH)) return env.CHROME_PATH;
  for (const name of NAMES) {
    const found = findProgram(name, env);
    if (found && isProgram(found)) return found;
  }
  return [...FIXED, ...inPlaywrightCache(env)].find(isProgram) ?? null;
}

/** @type {import('./context.mjs').Step} */
export const chromium = {
  name: 'Chromium',
  megabytes: 0,
  async ready({ env }) {
    return findChromium(env) ?? 'none found: figures as HTML only (CHROME_PATH=/path/to/chrome names one)';
  },
  what: () => 'looking for it',
  work: async () => '',
};
