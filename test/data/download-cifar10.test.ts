import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, truncate } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cifar10Manifest, cifar10Manifest } from '../../src/data/cifar10-manifest';
import { downloadCifar10 } from '../../src/data/download-cifar10';
import { proxyFor } from '../../src/data/http';
import { InputError } from '../../src/errors';
import { randomStream } from '../../src/tensor/random';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function tarOf(files: Record<string, Uint8Array>): Buffer {
  const blocks: Uint8Array[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        0', 148);
    header.write(
      `${header
        .reduce((a, b) => a + b)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    blocks.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const random = randomStream(0, 'download test');
const files = {
  'data_batch_1.bin': Uint8Array.from({ length: 300_000 }, () => random.integer(256)),
  'test_batch.bin': Uint8Array.from({ length: 100_001 }, () => random.integer(256)),
};
const archive = gzipSync(
  tarOf({
    'cifar-10-batches-bin/readme.html': Buffer.from('x'),
    ...Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [`cifar-10-batches-bin/${name}`, bytes]),
    ),
  }),
);

let dir: string;
let server: Server;
let requests: { range?: string }[];
/** How many bytes of its answer the server sends before it cuts the connection, for the coming requests. */
/** Requests for a part are answered with 416. */
let forgetful = false;
let cuts: number[];
let manifest: Cifar10Manifest;

beforeEach(async () => {
  dir = join(mkdtempSync(join(tmpdir(), 'download ')), 'data');
  requests = [];
  cuts = [];
  forgetful = false;
  server = createServer(serve);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  manifest = {
    folder: 'cifar-10-batches-bin',
    archive: {
      url: `http://127.0.0.1:${port}/cifar.tar.gz`,
      bytes: archive.length,
      sha256: sha256(archive),
    },
    files: Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: sha256(bytes) }]),
    ),
  };
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(join(dir, '..'), { recursive: true, force: true });
});

/** Between an answer's last byte and the cut, so that it arrives on a busy machine too. */
const UNDER_WAY_MS = 200;

function serve(request: IncomingMessage, response: ServerResponse) {
  requests.push({ range: request.headers.range });
  if (request.url === '/elsewhere') {
    response.writeHead(302, { location: '/cifar.tar.gz' }).end();
    return;
  }
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from && forgetful) {
    response.writeHead(416).end();
    return;
  }
  const rest = archive.subarray(from);
  response.writeHead(from ? 206 : 200, {
    'content-length': rest.length,
    ...(from ? { 'content-range': `bytes ${from}-${archive.length - 1}/${archive.length}` } : {}),
  });
  const cut = cuts.shift();
  if (cut === undefined) response.end(rest);
  else response.write(rest.subarray(0, cut), () => setTimeout(() => response.destroy(), UNDER_WAY_MS));
}

const options = () => ({ manifest, retryDelayMs: 1, env: {}, timeoutMs: 2000 });
const download = (more = {}) => downloadCifar10(dir, { ...options(), ...more });
const messageOf = async (promise: Promise<unknown>) => {
  const error = await promise.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).not.toContain('\n');
  return (error as Error).message;
};
function expectFiles() {
  for (const [name, bytes] of Object.entries(files)) {
    expect(sha256(readFileSync(join(dir, manifest.folder, name)))).toBe(sha256(bytes));
  }
  expect(readdirSync(join(dir, manifest.folder)).sort()).toEqual(Object.keys(files).sort());
  expect(readdirSync(dir).sort()).toEqual(['cifar-10-batches-bin', 'downloads']);
  expect(readdirSync(join(dir, 'downloads'))).toEqual([]);
}

describe('downloadCifar10', () => {
  it('leaves the files and nothing else, and reports its progress', async () => {
    const seen: { done: number; total: number; note?: string }[] = [];
    expect(await download({ onProgress: (p: (typeof seen)[0]) => seen.push(p) })).toBe(
      join(dir, manifest.folder),
    );
    expectFiles();
    expect(seen.some((p) => p.done === archive.length && p.total === archive.length)).toBe(true);
    expect(seen.at(-1)).toMatchObject({ done: 1, total: 1 });
  });

  it('does not ask the server when all is there', async () => {
    await download();
    requests = [];
    await download();
    expect(requests).toEqual([]);
  });

  it('goes on by itself after cuts of the connection, from where it was', async () => {
    cuts = [100_000, 50_000];
    await download();
    expectFiles();
    // What was still under way when the connection was cut may be lost, so it goes on from what arrived.
    const [whole, ...rest] = requests.map((r) => r.range);
    expect(whole).toBeUndefined();
    const starts = rest.map((range) => Number(/^bytes=(\d+)-$/.exec(range!)![1]));
    expect(starts).toHaveLength(2);
    expect(starts[0]).toBeGreaterThan(0);
    expect(starts[0]).toBeLessThanOrEqual(100_000);
    expect(starts[1] - starts[0]).toBeLessThanOrEqual(50_000);
    expect(starts[1]).toBeGreaterThan(starts[0]);
  });

  it('gives up with one line when nothing more comes, and goes on in the next run', async () => {
    cuts = [100_000, 0, 0, 0, 0, 0];
    expect(await messageOf(download({ retries: 2 }))).toMatch(
      /cifar\.tar\.gz: download interrupted after 0\.1 MB of 0\.4 MB/,
    );
    expect(existsSync(join(dir, manifest.folder))).toBe(false);
    cuts = [];
    requests = [];
    await download();
    expect(requests).toEqual([{ range: 'bytes=100000-' }]);
    expectFiles();
  });

  it('gives up on a server that sends a part and then denies it, again and again', async () => {
    cuts = Array.from({ length: 50 }, () => 50_000);
    forgetful = true;
    expect(await messageOf(download({ retries: 2 }))).toMatch(/download interrupted after/);
    expect(requests.length).toBeLessThan(10);
  });

  it('goes on after a kill at any point: part of the archive, all of it, half unpacked, half moved', async () => {
    const downloads = join(dir, 'downloads');
    await mkdir(downloads, { recursive: true });
    writeFileSync(join(downloads, 'cifar.tar.gz.part'), archive.subarray(0, 1234));
    await download();
    expect(requests).toEqual([{ range: 'bytes=1234-' }]);

    rmSync(join(dir, manifest.folder), { recursive: true });
    writeFileSync(join(downloads, 'cifar.tar.gz.part'), archive);
    requests = [];
    await download();
    expect(requests).toEqual([]);

    const moved = join(dir, manifest.folder, 'data_batch_1.bin');
    rmSync(join(dir, manifest.folder, 'test_batch.bin'));
    await truncate(moved, 10);
    await mkdir(join(dir, `${manifest.folder}.part`));
    writeFileSync(join(dir, `${manifest.folder}.part`, 'test_batch.bin'), 'half');
    writeFileSync(join(downloads, 'cifar.tar.gz'), archive);
    await download();
    expect(requests).toEqual([]);
    expectFiles();
  });

  it('refuses a wrong checksum, names both, and removes the bad file', async () => {
    const wrong = { ...manifest, archive: { ...manifest.archive, sha256: 'ab'.repeat(32) } };
    const message = await messageOf(download({ manifest: wrong }));
    expect(message).toContain(
      `wrong checksum, SHA-256 ${sha256(archive)} found, ${'ab'.repeat(32)} expected`,
    );
    expect(readdirSync(join(dir, 'downloads'))).toEqual([]);
    expect(existsSync(join(dir, manifest.folder))).toBe(false);
  });

  it('refuses an archive whose files are others', async () => {
    const wrong = {
      ...manifest,
      files: { ...manifest.files, 'test_batch.bin': { bytes: 100_001, sha256: 'cd' } },
    };
    expect(await messageOf(download({ manifest: wrong }))).toMatch(/test_batch\.bin has a wrong checksum/);
    expect(readdirSync(join(dir, manifest.folder))).toEqual([]);
  });

  it('says so when the server has another file, or none', async () => {
    const { bytes, ...rest } = manifest.archive;
    const other = { ...manifest, archive: { ...rest, bytes: bytes + 1 } };
    expect(await messageOf(download({ manifest: other }))).toMatch(
      /the server offers \d+ bytes, \d+ expected/,
    );
    server.removeAllListeners('request');
    server.on('request', (_request, response) => response.writeHead(404).end());
    expect(await messageOf(download())).toMatch(/the server answered 404/);
  });

  it('says so soon when the server cannot be reached', async () => {
    server.close();
    expect(await messageOf(download())).toMatch(/cannot be reached: .*ECONNREFUSED/);
  });

  it('says so when the server accepts and stays silent', async () => {
    server.removeAllListeners('request');
    server.on('request', () => {});
    expect(await messageOf(download({ timeoutMs: 50 }))).toMatch(
      /cannot be reached: no answer from .* for 0\.05 s/,
    );
  });

  it('follows redirects', async () => {
    const url = manifest.archive.url.replace('cifar.tar.gz', 'elsewhere');
    await download({ manifest: { ...manifest, archive: { ...manifest.archive, url } } });
    expectFiles();
  });

  it('refuses to begin without disk space', async () => {
    const huge = { ...manifest, archive: { ...manifest.archive, bytes: 1e18 } };
    expect(await messageOf(download({ manifest: huge }))).toMatch(
      /no disk space, 1000000000000\.0 MB needed, .* MB free/,
    );
    expect(requests).toEqual([]);
  });

  it('names a folder that cannot be written', async () => {
    writeFileSync(join(dir, '..', 'file'), '');
    dir = join(dir, '..', 'file', 'data');
    expect(await messageOf(download())).toMatch(/file.*cannot be written/);
    dir = join(dir, '..', '..', 'data');
  });
});

describe('a proxy', () => {
  it('is tunnelled through when the environment names one', async () => {
    const tunnels: string[] = [];
    const proxy = createServer((_request, response) => response.writeHead(400).end());
    proxy.on('connect', (request: IncomingMessage, client, head) => {
      tunnels.push(`${request.url} ${request.headers['proxy-authorization']}`);
      const [host, port] = (request.url as string).split(':');
      const upstream = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.write(head);
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on('error', () => client.destroy());
      client.on('error', () => upstream.destroy());
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    const { port } = proxy.address() as AddressInfo;
    try {
      cuts = [5000];
      await download({ env: { http_proxy: `http://me:secret@127.0.0.1:${port}` } });
      expectFiles();
      const { host } = new URL(manifest.archive.url);
      expect(tunnels).toEqual(Array(2).fill(`${host} Basic ${Buffer.from('me:secret').toString('base64')}`));
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  it('is found in the usual variables and left aside for the hosts of NO_PROXY', () => {
    const url = new URL('https://www.cs.toronto.edu/~kriz/x');
    expect(proxyFor(url, {})).toBeUndefined();
    expect(proxyFor(url, { HTTPS_PROXY: 'http://p:8080' })?.host).toBe('p:8080');
    expect(proxyFor(url, { https_proxy: 'p:8080' })?.href).toBe('http://p:8080/');
    expect(proxyFor(url, { HTTP_PROXY: 'http://p:8080' })).toBeUndefined();
    for (const no of ['*', 'toronto.edu', '.cs.toronto.edu', 'a, www.cs.toronto.edu']) {
      expect(proxyFor(url, { HTTPS_PROXY: 'http://p:8080', NO_PROXY: no })).toBeUndefined();
    }
    expect(proxyFor(url, { HTTPS_PROXY: 'http://p:8080', NO_PROXY: 'onto.edu' })).toBeDefined();
  });
});

it('is the official archive by default', () => {
  const { archive: official, files: six } = cifar10Manifest();
  expect(official.url).toBe('https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz');
  expect(Object.keys(six)).toHaveLength(6);
});
