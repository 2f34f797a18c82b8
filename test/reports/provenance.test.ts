import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root';
import { gitState, provenance } from '../../src/reports/provenance';

describe('provenance', () => {
  const made = provenance({
    parameters: { profile: 'smoke' },
    seeds: { root: 7 },
    engine: { name: 'TensorFlow', version: '2' },
    startedAt: new Date(Date.now() - 2500),
  });

  test('says what ran, on what, how long and with how much memory', () => {
    expect(made).toMatchObject({
      package: { name: 'cim-pruning', version: packageRoot().version },
      node: process.versions.node,
      parameters: { profile: 'smoke' },
      seeds: { root: 7 },
      engine: { name: 'TensorFlow', version: '2' },
    });
    expect(made.lockFileSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(made.seconds).toBeCloseTo(2.5, 1);
    expect(made.peakResidentBytes).toBeGreaterThan(30e6);
    expect(made.npm).toMatch(/^\d+\.\d+|unknown/);
  });

  test('is plain JSON without paths or names of the machine', () => {
    const text = JSON.stringify(made);
    expect(JSON.parse(text)).toEqual(made);
    for (const secret of [packageRoot().root, homedir(), hostname()])
      expect(text).not.toContain(`${secret}/`);
  });
});

describe('the git state', () => {
  let folder: string;
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {
      encoding: 'utf8',
    }).trim();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cim-git-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is unknown outside a checkout and below the top of one', () => {
    expect(gitState(folder)).toEqual({ commit: 'unknown', dirty: 'unknown' });
    git('init', '-q');
    mkdirSync(join(folder, 'sub'));
    expect(gitState(join(folder, 'sub'))).toEqual({ commit: 'unknown', dirty: 'unknown' });
  });

  test('is dirty when a source changes, not when figures or notebooks do', () => {
    git('init', '-q');
    writeFileSync(join(folder, 'a.ts'), '1');
    git('add', '.');
    git('commit', '-qm', 'a');
    mkdirSync(join(folder, 'figures'));
    writeFileSync(join(folder, 'figures/x.json'), '1');
    writeFileSync(join(folder, 'n.ipynb'), '1');
    expect(gitState(folder)).toEqual({ commit: git('rev-parse', 'HEAD'), dirty: false });
    writeFileSync(join(folder, 'pruned.safetensors'), '1');
    expect(gitState(folder).dirty).toBe(false);
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src/b.ts'), '1');
    expect(gitState(folder).dirty).toBe(true);
    rmSync(join(folder, 'src'), { recursive: true });
    writeFileSync(join(folder, 'a.ts'), '2');
    expect(gitState(folder).dirty).toBe(true);
  });
});
