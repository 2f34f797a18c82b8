#!/usr/bin/env node
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './errors.mjs';
import { createReport } from './report.mjs';
import { runSteps } from './run-steps.mjs';
import { STEPS } from './steps.mjs';

/** The checkout that this file lies in. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * @param {string} version of process.versions.node
 * @returns {boolean} whether the packages support it
 */
export function supportsNode(version) {
  const [major, minor] = version.split('.').map(Number);
  return (major === 20 && minor >= 19) || (major > 20 && major < 25);
}

/**
 * Sets the checkout up, telling on stderr; ends the process with one line and status 1 where that fails.
 *
 * @param {{force?: boolean}} [options]
 */
export async function setUpOrExit(options) {
  try {
    if (!supportsNode(process.versions.node)) {
      throw new SetupError(`Node ${process.versions.node} is not supported; use 20.19 or later, up to 24`);
    }
    return await runSteps(ROOT, STEPS, createReport(process.stderr), options);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`cim-pruning: ${error.message}\n`);
    process.exit(1);
  }
}

const HELP = `Usage: node src/setup/setup.mjs [--json]

Gets what this checkout needs and says what it did: npm packages, a Python environment with Jupyter, native TensorFlow, the
compiled library, the notebook kernel. What is there already is left alone.
`;

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--help')) process.stdout.write(HELP);
  else {
    const outcomes = await setUpOrExit({ force: true });
    if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(outcomes)}\n`);
  }
}
