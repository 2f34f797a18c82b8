// No times: the projection of training by PyTorch beside our certified one, same columns; then, on the CPU, a training
// that was interrupted beside one that was not.
//   node bench/check-pytorch.mjs [--python PYTHON]      PYTHON has torch, numpy and safetensors; default: one is made
// A broken limit, an error below our lower bound or more than 5 % above ours is an error, not a result; so is a tensor
// that differs after the interruption.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { python, scratch } from './scratch-python.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const load = createRequire(import.meta.url);
const { generatedPictures } = load('../dist/data/generated-pictures.js');
const { initialParameters } = load('../dist/networks/initial-parameters.js');
const { networkByName } = load('../dist/networks/network-by-name.js');
const { projectLayer } = load('../dist/projections/project-layer.js');
const { runPytorch } = load('../dist/training/pytorch/run-pytorch.js');
const { writeSafetensors } = load('../dist/networks/write-safetensors.js');
const { randomStream } = load('../dist/tensor/random.js');

const COLUMNS = 128;
const ROWS = 128;
const LARGEST = 64;
const program = python('torch', ['torch', 'numpy', 'safetensors']);
mkdirSync(scratch, { recursive: true });

const random = randomStream(1, 'check-pytorch');
// Laplace, [COLUMNS, ROWS], the largest of each column 64 codes.
const columns = new Float32Array(COLUMNS * ROWS);
for (let column = 0; column < COLUMNS; column++) {
  const part = columns.subarray(column * ROWS, (column + 1) * ROWS);
  for (let row = 0; row < ROWS; row++)
    part[row] = -Math.log(1 - random.uniform()) * (random.uniform() < 0.5 ? -1 : 1);
  const largest = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let row = 0; row < ROWS; row++) part[row] *= LARGEST / largest;
}
const targets = new Float32Array(columns.length);
for (let column = 0; column < COLUMNS; column++)
  for (let row = 0; row < ROWS; row++) targets[row * COLUMNS + column] = columns[column * ROWS + row];

for (const weightBits of [8, 4, 3])
  for (const bits of [1, 2, 3, 4]) {
    const bitLimit = 2 ** bits - 1;
    const ours = projectLayer({
      targets: inCodesOf(weightBits, targets),
      rows: ROWS,
      columns: COLUMNS,
      tileRows: ROWS,
      scales: new Float32Array(COLUMNS).fill(1),
      weightBits,
      bitLimit,
      method: 'lagrangian',
    });
    const file = join(scratch, 'columns.safetensors');
    const data = inCodesOf(weightBits, columns);
    writeSafetensors(file, new Map([['columns', { shape: [COLUMNS, ROWS], data }]]));
    const args = [join(here, 'check_pytorch.py'), 'project', file, String(bitLimit), String(weightBits - 1)];
    /** @type {{ error: number, most: number }} */
    const theirs = JSON.parse(execFileSync(program, args, { encoding: 'utf8' }));
    const named = `${weightBits}-bit weights, ${bits} bits`;
    if (theirs.most > bitLimit) throw new Error(`${named}: ${theirs.most} ones in a bit column`);
    const ratio = theirs.error / ours.objective;
    if (!(theirs.error >= ours.lowerBound && ratio < 1.05))
      throw new Error(`${named}: error ${theirs.error}, ours ${ours.objective} (bound ${ours.lowerBound})`);
    console.log(
      `${named}: error ${theirs.error.toFixed(0)}, ours ${ours.objective.toFixed(0)}, ratio ${ratio.toFixed(4)}`,
    );
  }

/** The columns in units of the scale that weights of so many bits would have. @param {number} weightBits @param {Float32Array} values */
function inCodesOf(weightBits, values) {
  return values.map((value) => value * 2 ** (weightBits - 8));
}

const EPOCHS = 4;
const network = networkByName('tiny', { classes: 4 });
const dataset = generatedPictures({ train: 64, test: 16, size: 32, classes: 4 });
const stage = {
  epochs: EPOCHS,
  batchSize: 16,
  rate: 0.05,
  warmup: 0,
  weightDecay: 1e-4,
  labelSmoothing: 0,
  crop: 2,
  cutout: 4,
  averageDecay: 0.9,
  distillation: 0.5,
  mixing: 0.5,
  prune: {
    rows: 32,
    bitLimit: 1,
    firstBitLimit: 3,
    interval: 3,
    relax: 0.6,
    pull: [0.01, 0.1],
    weightBits: 4,
  },
};
const start = initialParameters(network, 2);
const job = { network, dataset, normalisation: dataset, stage, seed: 3, start, teacher: start };
const quiet = { note: () => undefined };
const [whole, parted] = ['whole', 'parted'].map((name) => join(scratch, 'resume', name));
rmSync(dirname(whole), { recursive: true, force: true });
mkdirSync(dirname(whole), { recursive: true });
// On a GPU two runs of the same training differ.
process.env.CUDA_VISIBLE_DEVICES = '';
const expected = await runPytorch(program, whole, job, quiet);
// The first try only writes the job.
await assert.rejects(runPytorch('no such python', parted, job, quiet));
execFileSync(program, [join(here, 'check_pytorch.py'), 'stop', join(parted, 'job.json'), '2']);
/** @type {string[]} */
const notes = [];
const resumed = await runPytorch(program, parted, job, {
  note: (/** @type {string} */ line) => notes.push(line),
});
assert.deepEqual(
  notes.map((line) => line.split(':')[0]),
  [`epoch 3/${EPOCHS}`, `epoch 4/${EPOCHS}`],
);
assert.deepEqual(resumed?.tensors, expected?.tensors);
console.log('a training that was interrupted after 2 of 4 epochs ends with the same tensors');
