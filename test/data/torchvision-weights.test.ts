import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataCommand, listDatasets } from '../../src/data/data-command';
import { provideWeights, torchvisionWeights } from '../../src/data/torchvision-weights';
import { networkNames } from '../../src/networks/network-by-name';

const bytes = Buffer.from('weights');
const sha256 = createHash('sha256').update(bytes).digest('hex');
let dir: string;
let server: Server;
let asked = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'weights '));
  server = createServer((_, response) => {
    asked++;
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('provideWeights', () => {
  const weights = () => {
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/net-1234.pth`, bytes: bytes.length, sha256, top1: 70 };
  };

  it('downloads what is not there or damaged, and verifies what is there', async () => {
    const path = join(dir, 'net-1234.pth');
    const provide = () => provideWeights('net', weights(), dir, { env: {} });
    expect(await provide()).toMatchObject({ path, action: 'downloaded', sha256 });
    expect(readFileSync(path)).toEqual(bytes);
    expect(await provide()).toMatchObject({ action: 'verified' });
    expect(asked).toBe(1);
    writeFileSync(path, 'damaged');
    expect((await provide()).message).toMatch(/^net: downloaded .*net-1234\.pth, .* 70 % top-1/);
    expect(readFileSync(path)).toEqual(bytes);
  });

  it('keeps nothing under its name that has another checksum', async () => {
    const other = { ...weights(), sha256: '0'.repeat(64) };
    const empty = join(dir, 'empty');
    await expect(provideWeights('net', other, empty, { env: {} })).rejects.toThrow(/wrong checksum/);
    expect(existsSync(join(empty, 'net-1234.pth'))).toBe(false);
  });
});

describe('torchvisionWeights', () => {
  it('names networks of the zoo, each with the file whose checksum its name begins', () => {
    for (const [name, { url, sha256: own }] of Object.entries(torchvisionWeights())) {
      expect(networkNames).toContain(name);
      expect(url).toMatch(new RegExp(`-${own.slice(0, 8)}\\.pth$`));
      expect(own).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(listDatasets().map(({ name }) => name)).toContain('resnet18-imagenet');
  });

  it('leaves other names to the data sets', async () => {
    await expect(dataCommand({ name: 'resnet19' })).rejects.toThrow(/unknown data set resnet19/);
  });
});
