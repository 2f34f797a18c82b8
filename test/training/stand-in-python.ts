import { chmodSync, writeFileSync } from 'node:fs';

/**
 * A program that takes PyTorch's place: reads the job, gives every crossbar layer codes 1, 2 and -4 in its first three
 * rows and scales of 0.01, and everything else as the start has it; an epoch's line first. Like the real one it fails
 * with a message where there is no start.
 */
export function standInPython(path: string): string {
  writeFileSync(
    path,
    `#!${process.execPath}
const fs = require('node:fs');
const job = JSON.parse(fs.readFileSync(process.argv[3], 'utf8'));
if (!job.start) { console.error('Traceback\\nRuntimeError: no start'); process.exit(1); }
const file = fs.readFileSync(job.start);
const length = Number(file.readBigUInt64LE(0));
const header = JSON.parse(file.subarray(8, 8 + length).toString());
const parts = [];
for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header)) {
  if (name === '__metadata__') continue;
  const data = file.subarray(8 + length + from, 8 + length + to);
  if (!job.stage.prune || shape.length < 2) { parts.push({ name, dtype, shape, data }); continue; }
  const out = shape[0];
  const rows = shape.slice(1).reduce((a, b) => a * b, 1);
  const codes = new Int8Array(rows * out);
  for (let i = 0; i < 3; i++) codes.fill([1, 2, -4][i], i * out, (i + 1) * out);
  const layer = name.replace(/\\.weight$/, '');
  parts.push({ name: layer + '.codes', dtype: 'I8', shape: [rows, out], data: Buffer.from(codes.buffer) });
  const scales = new Float32Array(out).fill(0.01);
  parts.push({ name: layer + '.scales', dtype: 'F32', shape: [out], data: Buffer.from(scales.buffer) });
}
parts.sort((a, b) => (a.dtype === 'I8') - (b.dtype === 'I8'));
const curve = [{ epoch: 0, loss: 1.5, trainAccuracy: 50, testAccuracy: 40, seconds: 2 }];
const texts = { key: job.key, curve, engine: { name: 'stand-in', version: '1' } };
const written = { __metadata__: Object.fromEntries(Object.entries(texts).map(([k, v]) => [k, JSON.stringify(v)])) };
let at = 0;
for (const { name, dtype, shape, data } of parts) {
  written[name] = { dtype, shape, data_offsets: [at, at + data.length] };
  at += data.length;
}
let text = JSON.stringify(written);
text += ' '.repeat((8 - (text.length % 8)) % 8);
const size = Buffer.alloc(8);
size.writeBigUInt64LE(BigInt(text.length));
fs.writeFileSync(job.output, Buffer.concat([size, Buffer.from(text), ...parts.map(({ data }) => data)]));
if (process.env.STAND_IN_WARNS) console.log(process.env.STAND_IN_WARNS);
console.log(JSON.stringify(curve[0]));
`,
  );
  chmodSync(path, 0o755);
  return path;
}
