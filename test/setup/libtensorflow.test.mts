import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SetupError, Unavailable } from '../../src/setup/errors.mjs';
import { libtensorflowStep } from '../../src/setup/libtensorflow.mjs';
import { HEADERS } from '../../src/setup/libtensorflow-layout.mjs';
import type { Source } from '../../src/setup/libtensorflow-sources.mjs';
import { contextWithFakes, fakeProgram, sandbox, silentTask, write } from './sandbox.mjs';
import { zip } from './zip.mjs';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const OUT_OF_REACH = 'http://127.0.0.1:9/';

const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'].map(
  (name) => `tensorflow/${name}`,
);
const wheelFiles = [...libraries, ...HEADERS.map((name) => `tensorflow/include/${name}`)];
const wheel = zip(wheelFiles.map((name) => ({ name, content: Buffer.from(name), deflated: true })));

function source(official: Source['official']): Record<string, Source> {
  const named = {
    name: 'tensorflow-cpu',
    version: '2.18.1',
    platform: 'any',
    bytes: 1,
    sha256: [sha256(wheel)],
  };
  return { [`${process.platform}-${process.arch}`]: { official, wheel: named, suffix: 'so' } };
}

/** A Python whose pip "downloads" the wheel from a file beside it. */
function withPip(
  root: string,
  download = 'while [ "$1" != --dest ]; do shift; done; cp "$HOME/store" "$2/x.whl"',
) {
  writeFileSync(join(root, 'store'), wheel);
  const script = `case "$1 $2 $3" in "-c "*) echo 3.12 ;; "-m pip --version") ;; "-m pip download") echo once >> "$HOME/downloads"; ${download} ;; esac`;
  fakeProgram(root, 'python3', script);
}

const folder = (root: string) => join(root, '.setup', 'libtensorflow-2.18');

describe('libtensorflow', () => {
  it('comes from the wheel, whatever the version of the local Python, where the official host is out of reach', async () => {
    const root = sandbox();
    withPip(root);
    const context = contextWithFakes(root, { TFJS_NODE_CDN_STORAGE: OUT_OF_REACH });
    const step = libtensorflowStep(source({ version: '2.18.0', path: 'x.tar.gz', sha256: '00', bytes: 1 }));
    await step.work(context, silentTask);
    expect(await step.ready(context)).toBe('2.18.1 (wheel of tensorflow-cpu)');
    const lib = join(folder(root), 'lib');
    expect(readFileSync(join(lib, 'libtensorflow.so'), 'utf8')).toBe('tensorflow/libtensorflow_cc.so.2');
    expect(readlinkSync(join(lib, 'libtensorflow_framework.so'))).toBe('libtensorflow_framework.so.2');
    for (const name of HEADERS) expect(existsSync(join(folder(root), 'include', name))).toBe(true);
    expect(existsSync(join(root, '.setup', 'downloads'))).toBe(false);
  });

  it('is not downloaded again when the set-up was interrupted between download and unpacking', async () => {
    const root = sandbox();
    withPip(root);
    const context = contextWithFakes(root);
    write(join(root, '.setup/downloads/y.whl'), '');
    writeFileSync(join(root, '.setup/downloads/y.whl'), wheel);
    await libtensorflowStep(source(null)).work(context, silentTask);
    expect(existsSync(join(root, 'downloads'))).toBe(false);
  });

  it('comes from the official archive first, headers gathered from where it keeps them', async () => {
    const root = sandbox();
    const tree = join(root, 'tree');
    for (const name of HEADERS) {
      const place = /^(tsl|xla)/.exec(name)?.[1];
      if (name.startsWith('tensorflow/core/')) continue;
      write(join(tree, 'include', place ? `external/local_${place}` : '', name), name);
    }
    write(join(tree, 'lib', 'libtensorflow.so.2.18.0'), 'main');
    execFileSync('ln', ['-s', 'libtensorflow.so.2.18.0', join(tree, 'lib', 'libtensorflow.so')]);
    write(join(tree, 'lib', 'libtensorflow_framework.so.2'), 'framework');
    execFileSync('tar', ['-czf', join(root, 'x.tar.gz'), '-C', tree, '.']);
    const archive = readFileSync(join(root, 'x.tar.gz'));
    const server = createServer((_request, response) => response.end(archive));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const context = contextWithFakes(root, { TFJS_NODE_CDN_STORAGE: mirror });
    const step = libtensorflowStep(
      source({ version: '2.18.0', path: 'x.tar.gz', sha256: sha256(archive), bytes: 1 }),
    );
    await step.work(context, silentTask);
    expect(await step.ready(context)).toBe('2.18.0 (official host)');
    expect(readFileSync(join(folder(root), 'lib', 'libtensorflow.so'), 'utf8')).toBe('main');
    const shim = join(folder(root), 'include/tensorflow/core/platform/ctstring_internal.h');
    expect(readFileSync(shim, 'utf8')).toBe('#include "tsl/platform/ctstring_internal.h"\n');
  });

  it('is left out where neither source can be reached or the platform has no build', async () => {
    const root = sandbox();
    withPip(root, 'echo "No matching distribution found"; exit 1');
    const context = contextWithFakes(root);
    await expect(libtensorflowStep(source(null)).work(context, silentTask)).rejects.toThrow(Unavailable);
    await expect(libtensorflowStep({}).work(context, silentTask)).rejects.toThrow(/no build of it for/);
  });

  it('leaves nothing half-written when the download breaks off', async () => {
    const root = sandbox();
    withPip(
      root,
      'mkdir "$TMPDIR/pip-unpack-1"; head -c 200000 /dev/zero > "$TMPDIR/pip-unpack-1/part"; sleep 1; echo "Connection broken: IncompleteRead"; exit 1',
    );
    const failure = await libtensorflowStep(source(null))
      .work(contextWithFakes(root), silentTask)
      .catch((e) => e);
    expect(failure).toBeInstanceOf(SetupError);
    expect(failure.message).toContain('IncompleteRead');
    expect(readdirSync(join(root, '.setup')).filter((name) => name.startsWith('libtensorflow'))).toEqual([]);
  });
});
