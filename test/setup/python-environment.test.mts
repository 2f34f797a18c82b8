import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SetupError, Unavailable } from '../../src/setup/errors.mjs';
import { environmentState, pythonEnvironment } from '../../src/setup/python-environment.mjs';
import { contextWithFakes, fakeProgram, sandbox, silentTask, write } from './sandbox.mjs';

/** A Python that knows its version, makes environments out of itself, and whose pip does as told. */
const python = ({ version = '3.11', venv = 'true', pip = 'true' } = {}) => `
echo "$@" >> "$HOME/said"
case "$1 $2" in
  "-c "*) echo ${version} ;;
  "-m venv") ${venv} && mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo made > "$3/pyvenv.cfg" ;;
  "-m pip") ${pip} ;;
  *) exit 1 ;;
esac`;

function checkout(script: string) {
  const root = sandbox();
  write(join(root, 'requirements.lock'), 'jupyterlab==1\n');
  fakeProgram(root, 'python3', script);
  return { root, context: contextWithFakes(root) };
}

describe('Python for Jupyter', () => {
  it('is made once, from wheels whose hashes are in the lock file', async () => {
    const { root, context } = checkout(python());
    await pythonEnvironment.work(context, silentTask);
    expect(await environmentState(root)).toBe('ready');
    expect(readFileSync(join(root, 'said'), 'utf8')).toContain('--require-hashes --only-binary=:all:');
  });

  it('is outdated when the lock file changes, and brought up to date without being made anew', async () => {
    const { root, context } = checkout(python());
    await pythonEnvironment.work(context, silentTask);
    write(join(root, '.venv/kept'), '');
    write(join(root, 'requirements.lock'), 'jupyterlab==2\n');
    expect(await environmentState(root)).toBe('outdated');
    await pythonEnvironment.work(context, silentTask);
    expect(await environmentState(root)).toBe('ready');
    expect(existsSync(join(root, '.venv/kept'))).toBe(true);
  });

  it('is made anew after an interruption', async () => {
    const { root, context } = checkout(python({ pip: 'kill -9 $$' }));
    await expect(pythonEnvironment.work(context, silentTask)).rejects.toThrow(SetupError);
    expect(await environmentState(root)).toBe('broken');
    write(join(root, '.venv/half'), '');
    fakeProgram(root, 'python3', python());
    await pythonEnvironment.work(context, silentTask);
    expect(await environmentState(root)).toBe('ready');
    expect(existsSync(join(root, '.venv/half'))).toBe(false);
  });

  it('never deletes an environment that someone else made', async () => {
    const { root, context } = checkout(python());
    write(join(root, '.venv/mine'), '');
    expect(await environmentState(root)).toBe('foreign');
    await expect(pythonEnvironment.work(context, silentTask)).rejects.toThrow('is no Python environment');
    fakeProgram(root, '../.venv/bin/python', python());
    await pythonEnvironment.work(context, silentTask);
    expect(await environmentState(root)).toBe('ready');
    expect(existsSync(join(root, '.venv/mine'))).toBe(true);
  });

  it('is left out, with advice, where Python cannot make environments, is too old, or the index is out of reach', async () => {
    const none = python({ venv: 'false', pip: 'false' });
    const old = python({ version: '3.8' });
    const offline = python({ pip: 'echo "Failed to establish a new connection"; false' });
    for (const [script, text] of [
      [none, 'apt install python3-venv'],
      [old, 'is 3.8'],
      [offline, 'cannot be reached'],
    ]) {
      const { context } = checkout(script);
      const failure = await pythonEnvironment.work(context, silentTask).catch((error) => error);
      expect(failure).toBeInstanceOf(Unavailable);
      expect(failure.message).toContain(text);
    }
  });

  it('ends the set-up where a package has another checksum', async () => {
    const { context } = checkout(python({ pip: 'echo "THESE PACKAGES DO NOT MATCH THE HASHES"; false' }));
    await expect(pythonEnvironment.work(context, silentTask)).rejects.toThrow('another checksum');
  });

  it('is remade in a checkout that was moved', async () => {
    const { root, context } = checkout(python());
    await pythonEnvironment.work(context, silentTask);
    const stamp = join(root, '.venv/cim-pruning.json');
    write(stamp, readFileSync(stamp, 'utf8').replace(root, '/elsewhere'));
    expect(await environmentState(root)).toBe('broken');
  });

  it('is none without a folder and broken with an empty one', async () => {
    const { root } = checkout(python());
    expect(await environmentState(root)).toBe('none');
    mkdirSync(join(root, '.venv'));
    expect(await environmentState(root)).toBe('broken');
  });
});
