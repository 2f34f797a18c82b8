// Times our training and inference against PyTorch's on the CPU, same network, parameters, pictures and step, in turn.
//   node bench/compare-pytorch.mjs [--python PYTHON]      PYTHON has torch, numpy and safetensors; default: one is made
// Each case is measured in ROUNDS rounds of both sides; a case whose check values differ is an error, not a result.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { python, scratch } from './scratch-python.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const ROUNDS = 3;
const BATCH = 128;
const CASES = [
  { network: 'resnet20', mode: 'train', steps: 15 },
  { network: 'resnet20', mode: 'infer', steps: 20 },
  { network: 'vgg16', mode: 'train', steps: 4 },
  { network: 'vgg16', mode: 'infer', steps: 6 },
];

const program = python('torch', ['torch', 'numpy', 'safetensors']);
const threads = String(availableParallelism());
/** @type {(file: string, args: string[]) => { milliseconds: number, check: number, later: number }} */
const json = (file, args) => JSON.parse(execFileSync(file, args, { encoding: 'utf8', maxBuffer: 1 << 24 }));
const cli = join(here, '..', 'dist', 'cli.js');
/** @param {number} value @param {number} expected @param {number} share */
const near = (value, expected, share) => Math.abs(value - expected) <= share * Math.abs(expected);
/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

const rows = [];
for (const { network, mode, steps } of CASES) {
  mkdirSync(scratch, { recursive: true });
  const parameters = join(scratch, `${network}.safetensors`);
  /** @param {string} precision */
  const ours = (precision) =>
    json(process.execPath, [
      cli,
      'bench',
      'training',
      '--json',
      '--network',
      network,
      '--mode',
      mode,
      '--precision',
      precision,
      '--steps',
      String(steps),
      '--batch-size',
      String(BATCH),
      '--parameters',
      parameters,
    ]);
  /** @param {string[]} layout */
  const torch = (...layout) =>
    json(program, [
      join(here, 'torch_rival.py'),
      network,
      mode,
      parameters,
      String(BATCH),
      String(steps),
      threads,
      ...layout,
    ]);
  /** @type {Record<string, () => { milliseconds: number, check: number, later: number }>} */
  const sides = {
    'ours float32': () => ours('float32'),
    'ours bfloat16': () => ours('bfloat16'),
    ...(mode === 'infer' && { 'ours int8': () => ours('int8') }),
    PyTorch: () => torch(),
    'PyTorch channels_last': () => torch('channels_last'),
    'PyTorch bfloat16': () => torch('channels_last', 'bfloat16'),
    ...(mode === 'infer' && {
      'PyTorch frozen': () => torch('channels_last', 'frozen'),
      'PyTorch frozen bfloat16': () => torch('channels_last', 'bfloat16', 'frozen'),
    }),
    ...(mode === 'infer' && { 'PyTorch int8': () => torch('channels_last', 'int8') }),
  };
  /** @type {Record<string, { milliseconds: number, check: number, later: number }[]>} */
  const runs = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(sides)) {
      console.error(`${network} ${mode}, round ${round + 1}/${ROUNDS}: ${name}`);
      runs[name].push(run());
    }
  }
  const [expected] = runs.PyTorch;
  for (const [name, results] of Object.entries(runs)) {
    const tolerance = name.includes('int8') ? 0.1 : name.includes('bfloat16') ? 2e-2 : 1e-3;
    // Two steps of training carry rounding on: PyTorch's own bfloat16 is 5 % from its float32 on VGG-16.
    const carried = mode === 'infer' ? tolerance : name.includes('bfloat16') ? 0.1 : 1e-2;
    for (const { check, later } of results)
      if (!near(check, expected.check, tolerance) || !near(later, expected.later, carried))
        throw new Error(
          `${network} ${mode}: ${name} gives ${check}, then ${later}, PyTorch ${expected.check}, then ${expected.later}`,
        );
  }
  /** @param {string} name */
  const speed = (name) => (1000 * BATCH) / median(runs[name].map(({ milliseconds }) => milliseconds));
  for (const name of Object.keys(sides))
    rows.push({
      network,
      mode,
      side: name,
      'pictures/s': Number(speed(name).toFixed(1)),
      'x PyTorch': Number((speed(name) / speed('PyTorch')).toFixed(2)),
      'x channels_last': Number((speed(name) / speed('PyTorch channels_last')).toFixed(2)),
    });
}
console.table(rows);
console.log(JSON.stringify(rows));
