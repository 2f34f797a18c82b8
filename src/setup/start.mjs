#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, setUpOrExit } from './setup.mjs';

// `npm start`: set-up, then every experiment in its shortest form. What follows `--` goes to `cim-pruning reproduce`.
const given = process.argv.slice(2);
const profile = given.some((word) => word.startsWith('--profile')) ? [] : ['--profile', 'smoke'];

await setUpOrExit();
const child = spawn(process.execPath, [join(ROOT, 'dist', 'cli.js'), 'reproduce', ...profile, ...given], {
  cwd: ROOT,
  stdio: 'inherit',
});
// Ctrl-C reaches the child as well, which saves its work; this process ends when the child has.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code) => process.exit(code ?? 1));
