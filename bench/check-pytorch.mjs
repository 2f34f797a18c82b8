// No times: the projection of training by PyTorch beside our certified one, same columns.
//   node bench/check-pytorch.mjs [--python PYTHON]      PYTHON has torch, numpy and safetensors; default: one is made
// A broken limit, an error below our lower bound or more than 5 % above ours is an error, not a result.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { python, scratch } from './scratch-python.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const load = createRequire(import.meta.url);
const { projectLayer } = load('../dist/projections/project-layer.js');
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
const file = join(scratch, 'columns.safetensors');
writeSafetensors(file, new Map([['columns', { shape: [COLUMNS, ROWS], data: columns }]]));
const targets = new Float32Array(columns.length);
for (let column = 0; column < COLUMNS; column++)
  for (let row = 0; row < ROWS; row++) targets[row * COLUMNS + column] = columns[column * ROWS + row];

for (const bits of [1, 2, 3, 4]) {
  const bitLimit = 2 ** bits - 1;
  const ours = projectLayer({
    targets,
    rows: ROWS,
    columns: COLUMNS,
    tileRows: ROWS,
    scales: new Float32Array(COLUMNS).fill(1),
    weightBits: 8,
    bitLimit,
    method: 'lagrangian',
  });
  const args = [join(here, 'check_pytorch.py'), file, String(bitLimit)];
  /** @type {{ error: number, most: number }} */
  const theirs = JSON.parse(execFileSync(program, args, { encoding: 'utf8' }));
  if (theirs.most > bitLimit) throw new Error(`${bits} bits: ${theirs.most} ones in a bit column`);
  const ratio = theirs.error / ours.objective;
  if (!(theirs.error >= ours.lowerBound && ratio < 1.05))
    throw new Error(`${bits} bits: error ${theirs.error}, ours ${ours.objective} (bound ${ours.lowerBound})`);
  console.log(
    `${bits} bits: error ${theirs.error.toFixed(0)}, ours ${ours.objective.toFixed(0)}, ratio ${ratio.toFixed(4)}`,
  );
}
