#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { countTests } from './count-tests.mjs';
import { readJson } from './files.mjs';
import { duration } from './report.mjs';
import { ROOT, setUpOrExit } from './setup.mjs';

// `npm test`: set-up, types, lint and format, tests. The last line is "N passed, N failed". What follows `--` goes to vitest.

/**
 * Runs a tool of node_modules with its output shown.
 *
 * @param {string} script
 * @param {string[]} parameters
 * @returns {Promise<number>} exit status
 */
function tool(script, parameters) {
  return new Promise((resolve) => {
    const path = join(ROOT, 'node_modules', script);
    const child = spawn(process.execPath, [path, ...parameters], { cwd: ROOT, stdio: 'inherit' });
    child.on('error', () => resolve(127));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

const CHECKS = [
  {
    name: 'Types',
    script: 'typescript/bin/tsc',
    parameters: ['-p', 'tsconfig.check.json', '--pretty', 'false'],
  },
  {
    name: 'Lint and format',
    script: '@biomejs/biome/bin/biome',
    parameters: ['check', '.', '--max-diagnostics=20'],
  },
];

await setUpOrExit();
let passed = 0;
let failed = 0;
for (const { name, script, parameters } of CHECKS) {
  const started = Date.now();
  const good = (await tool(script, parameters)) === 0;
  if (good) passed += 1;
  else failed += 1;
  process.stdout.write(
    `${name.padEnd(20)}${good ? 'passed' : 'FAILED'}, ${duration(Date.now() - started)}\n`,
  );
}
const report = join(ROOT, '.setup', 'test', `vitest-${process.pid}.json`);
await mkdir(join(ROOT, '.setup', 'test'), { recursive: true });
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const status = await tool('vitest/vitest.mjs', ['run', ...reporters, ...process.argv.slice(2)]);
const tests = countTests(readJson(report), status);
await rm(report, { force: true });
passed += tests.passed;
failed += tests.failed;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
