import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createContext } from './context.mjs';
import { plainMessage, SetupError, Unavailable } from './errors.mjs';
import { readJson, writeWhole } from './files.mjs';
import { acquireLock } from './lock.mjs';
import { duration } from './report.mjs';

/**
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {import('./context.mjs').Step} Step
 * @typedef {import('./report.mjs').Report} Report
 *
 * @typedef {{step: string, state: 'ready' | 'done' | 'left out', note: string}} Outcome
 */

/**
 * @param {Step} step
 * @param {Context} context
 * @param {Report} report
 * @returns {Promise<Outcome>}
 */
async function runStep(step, context, report) {
  const there = await step.ready(context);
  if (there !== null) {
    report.line(`${step.name.padEnd(20)}${there}`);
    return { step: step.name, state: 'ready', note: there };
  }
  const free = (await context.freeBytes(context.root)) / 1e6;
  if (free < step.megabytes) {
    throw new SetupError(
      `${step.name}: no disk space: ${step.megabytes} MB are needed at ${context.root}, ${Math.floor(free)} MB are free`,
    );
  }
  const task = report.begin(step.name, step.what(context));
  try {
    const note = await step.work(context, task);
    task.end(note);
    return { step: step.name, state: 'done', note };
  } catch (error) {
    if (!(error instanceof Unavailable)) {
      task.end('failed');
      const prefix = error instanceof SetupError ? '' : `${step.name}: `;
      throw new SetupError(`${prefix}${plainMessage(error, context.root)}`);
    }
    const note = `left out: ${error.message}${step.without ? `; ${step.without}` : ''}`;
    task.end(note);
    return { step: step.name, state: 'left out', note };
  }
}

/**
 * @param {readonly Step[]} steps
 * @param {Context} context
 * @returns {Promise<Outcome[] | null>} null unless all is there
 */
async function allReady(steps, context) {
  const outcomes = [];
  for (const step of steps) {
    const note = await step.ready(context);
    if (note === null) return null;
    outcomes.push(/** @type {Outcome} */ ({ step: step.name, state: 'ready', note }));
  }
  return outcomes;
}

/**
 * Brings a checkout to the state that the steps describe. Safe to interrupt and to run twice at once: work is done in
 * `.setup/tmp` under a lock and put in place by renaming.
 *
 * @param {string} root
 * @param {readonly Step[]} steps
 * @param {Report} report
 * @param {{env?: NodeJS.ProcessEnv, freeBytes?: Context['freeBytes'], force?: boolean}} [options] force: tell of every step even where all is there
 * @returns {Promise<Outcome[]>}
 * @throws {SetupError}
 */
export async function runSteps(root, steps, report, { env = process.env, freeBytes, force = false } = {}) {
  const started = Date.now();
  const before = force ? null : await allReady(steps, createContext(root, { env }));
  if (before) {
    report.line(
      `Set-up is complete: ${before.map(({ step, note }) => `${step}: ${note}`).join(' · ')} (${duration(Date.now() - started)})`,
    );
    return before;
  }
  const home = join(root, '.setup');
  const lock = await openLock(home, root, report);
  const release = () => lock.release();
  const stop = () => {
    release().finally(() => process.exit(130));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const context = createContext(root, { env, lock });
  if (freeBytes) context.freeBytes = freeBytes;
  try {
    await rm(context.temporary, { recursive: true, force: true });
    await mkdir(context.temporary, { recursive: true });
    const outcomes = [];
    for (const step of steps) outcomes.push(await runStep(step, context, report));
    await saveOutcomes(home, outcomes);
    report.line(`Set-up took ${duration(Date.now() - started)}`);
    return outcomes;
  } catch (error) {
    throw error instanceof SetupError ? error : new SetupError(plainMessage(error, root));
  } finally {
    await rm(context.temporary, { recursive: true, force: true }).catch(() => {});
    await release().catch(() => {});
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

/**
 * @param {string} home
 * @param {string} root
 * @param {Report} report
 */
async function openLock(home, root, report) {
  try {
    return await acquireLock(join(home, 'lock'), {
      onWait: ({ pid }) => report.line(`Another set-up (process ${pid}) is at work here; waiting for it`),
    });
  } catch (error) {
    throw new SetupError(plainMessage(error, root));
  }
}

/**
 * For whoever wants to know without looking again: `.setup/state.json`.
 *
 * @param {string} home
 * @param {Outcome[]} outcomes
 */
async function saveOutcomes(home, outcomes) {
  const path = join(home, 'state.json');
  const state = outcomes.map(({ step, state: now, note }) => ({
    step,
    state: now === 'left out' ? now : 'there',
    note,
  }));
  if (JSON.stringify(readJson(path)) !== JSON.stringify(state)) await writeWhole(path, JSON.stringify(state));
}
