import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { download } from '../../src/setup/download.mjs';
import { SetupError, Unavailable } from '../../src/setup/errors.mjs';
import { openUrl, proxyFor } from '../../src/setup/open-url.mjs';
import { sandbox } from './sandbox.mjs';

const content = Buffer.from('weights '.repeat(40_000));
const sha256 = createHash('sha256').update(content).digest('hex');
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const start = (request: IncomingMessage) =>
  Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
const options = { sha256, env: {}, timeoutMs: 2000 };

describe('download', () => {
  it('goes on where an interrupted download ended', async () => {
    const asked: number[] = [];
    const host = await serve((request, response) => {
      asked.push(start(request));
      response.writeHead(206, { 'content-length': content.length - start(request) });
      response.end(content.subarray(start(request)));
    });
    const target = join(sandbox(), 'file.bin');
    writeFileSync(`${target}.part`, content.subarray(0, 1000));
    await download(`${host}/file.bin`, target, options);
    expect(asked).toEqual([1000]);
    expect(readFileSync(target).equals(content)).toBe(true);
    expect(existsSync(`${target}.part`)).toBe(false);
  });

  it('asks again for the rest when the connection breaks', async () => {
    let rounds = 0;
    const host = await serve((request, response) => {
      rounds += 1;
      const rest = content.subarray(start(request));
      response.writeHead(start(request) > 0 ? 206 : 200, { 'content-length': rest.length });
      if (rounds > 1) return response.end(rest);
      response.write(rest.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50));
    });
    const target = join(sandbox(), 'file.bin');
    await download(`${host}/file.bin`, target, options);
    expect(rounds).toBe(2);
    expect(readFileSync(target).equals(content)).toBe(true);
  });

  it('keeps the part and says so in one line when the connection breaks for good', async () => {
    let rounds = 0;
    const host = await serve((request, response) => {
      rounds += 1;
      if (rounds > 1) return response.destroy();
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(start(request), 100_000), () =>
        setTimeout(() => response.destroy(), 50),
      );
    });
    const target = join(sandbox(), 'file.bin');
    const failure = await download(`${host}/file.bin`, target, options).catch((error) => error);
    expect(failure).toBeInstanceOf(SetupError);
    expect(failure.message).toMatch(
      /^the download of file.bin broke off after \d+ bytes: .*; run this again/,
    );
    expect(existsSync(target)).toBe(false);
    expect(existsSync(`${target}.part`)).toBe(true);
  });

  it('deletes what has another checksum', async () => {
    const host = await serve((_request, response) => response.end('something else'));
    const target = join(sandbox(), 'file.bin');
    const failure = await download(`${host}/file.bin`, target, options).catch((error) => error);
    expect(failure).toBeInstanceOf(SetupError);
    expect(failure.message).toContain(`expected ${sha256}`);
    expect(existsSync(target) || existsSync(`${target}.part`)).toBe(false);
  });

  it('is unavailable where the host lacks the file, does not answer in time, or cannot be reached', async () => {
    const lacking = await serve((_request, response) => response.writeHead(404).end());
    const mute = await serve(() => {});
    const target = join(sandbox(), 'file.bin');
    for (const host of [lacking, mute, 'http://127.0.0.1:9']) {
      const failure = await download(`${host}/file.bin`, target, { ...options, timeoutMs: 200 }).catch(
        (e) => e,
      );
      expect(failure).toBeInstanceOf(Unavailable);
    }
  });
});

describe('openUrl', () => {
  it('passes a plain address through the proxy that http_proxy names', async () => {
    const asked: string[] = [];
    const proxy = await serve((request, response) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
      response.end('by proxy');
    });
    const env = { http_proxy: proxy.replace('//', '//me:pa%20ss@') };
    const response = await openUrl('http://data.example/a', { env, timeoutMs: 2000 });
    expect(response.statusCode).toBe(200);
    response.destroy();
    expect(asked).toEqual([`http://data.example/a Basic ${Buffer.from('me:pa ss').toString('base64')}`]);
  });

  it('asks the proxy for a tunnel to a secure address', async () => {
    const proxy = await serve(() => {});
    const asked: string[] = [];
    servers[servers.length - 1].on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 407 No\r\n\r\n');
    });
    const opening = openUrl('https://data.example/a', { env: { HTTPS_PROXY: proxy }, timeoutMs: 2000 });
    await expect(opening).rejects.toThrow('answered 407');
    expect(asked).toEqual(['data.example:443']);
  });

  it('leaves the proxy out for hosts of no_proxy', () => {
    const env = { https_proxy: 'proxy:3128', no_proxy: 'localhost, .example.org' };
    expect(proxyFor(new URL('https://a.example.org/'), env)).toBeNull();
    expect(proxyFor(new URL('https://example.com/'), env)?.host).toBe('proxy:3128');
  });
});
