import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SetupError } from '../../src/setup/errors.mjs';
import { npmPackages, packagesMatchLock } from '../../src/setup/npm-packages.mjs';
import { contextWithFakes, fakeProgram, sandbox, silentTask, write } from './sandbox.mjs';

const entry = { version: '1.0.0', integrity: 'sha512-x' };

function checkout() {
  const root = sandbox();
  const packages = { '': {}, 'node_modules/a': entry, 'node_modules/b-win32': { ...entry, optional: true } };
  write(join(root, 'package-lock.json'), JSON.stringify({ packages }));
  return root;
}

const record = (packages: object) => JSON.stringify({ packages });

describe('npm packages', () => {
  it('are there when what npm recorded equals the lock file, but for optional ones of other platforms', () => {
    const root = checkout();
    expect(packagesMatchLock(root)).toBe(false);
    write(join(root, 'node_modules/a/package.json'), '{}');
    expect(packagesMatchLock(root)).toBe(false);
    const path = join(root, 'node_modules/.package-lock.json');
    write(path, record({ 'node_modules/a': { ...entry, version: '0.9.0' } }));
    expect(packagesMatchLock(root)).toBe(false);
    write(path, record({ 'node_modules/a': entry }));
    expect(packagesMatchLock(root)).toBe(true);
  });

  it('are installed without install scripts', async () => {
    const root = checkout();
    fakeProgram(
      root,
      'npm',
      `echo "$@" > said; mkdir -p node_modules/a; echo '${record({ 'node_modules/a': entry })}' > node_modules/.package-lock.json`,
    );
    const context = contextWithFakes(root);
    expect(await npmPackages.ready(context)).toBeNull();
    await npmPackages.work(context, silentTask);
    expect(await npmPackages.ready(context)).not.toBeNull();
    expect(existsSync(join(root, 'said'))).toBe(true);
  });

  it('fail in one line that says why, with the log kept', async () => {
    const root = checkout();
    fakeProgram(root, 'npm', 'echo "npm error code ECONNRESET"; echo "npm error network aborted"; exit 1');
    const failure = await npmPackages.work(contextWithFakes(root), silentTask).catch((error) => error);
    expect(failure).toBeInstanceOf(SetupError);
    expect(failure.message).toBe('npm ci failed: network aborted (all of it: .setup/log/npm.log)');
    expect(existsSync(join(root, '.setup/log/npm.log'))).toBe(true);
  });
});
