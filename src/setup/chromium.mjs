import { createRequire } from 'node:module';
import { join } from 'node:path';

/** @type {import('./context.mjs').Step} */
export const chromium = {
  name: 'Chromium',
  megabytes: 0,
  async ready({ root, env }) {
    // The search of those who draw, compiled by the step before: what is told here is what is used there.
    const { findChromium } = createRequire(import.meta.url)(
      join(root, 'dist', 'reports', 'find-chromium.js'),
    );
    return findChromium(env) ?? 'none found: figures as HTML only (CHROME_PATH=/path/to/chrome names one)';
  },
  what: () => 'looking for it',
  work: async () => '',
};
