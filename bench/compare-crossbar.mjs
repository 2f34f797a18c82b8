// Times our crossbar on the speed workload against a C program, PyTorch and CrossSim, one thread each, in turn.
//   node bench/compare-crossbar.mjs [--rounds N] [--python PYTHON] [--cross-sim DIR]
// The C program (crossbar_rival.c) is compiled where there is a compiler (CC, cc, gcc or clang). PYTHON has numpy, scipy and
// torch; default: one is made in bench/.scratch. DIR is a checkout of sandialabs/cross-sim; without it CrossSim is left out.
// A side whose outputs do not have the workload's checksum is an error, not a time.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { option, python, scratch } from './scratch-python.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const CHECK = '9bf95b3f';
/** One thread for every side. */
const env = { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };

/** @type {(file: string, args: readonly string[]) => any} */
const json = (file, args) => JSON.parse(execFileSync(file, args, { encoding: 'utf8', env }));

function compiledRival() {
  const program = join(scratch, 'crossbar_rival');
  for (const compiler of [process.env.CC, 'cc', 'gcc', 'clang']) {
    if (!compiler) continue;
    try {
      const source = join(here, 'crossbar_rival.c');
      execFileSync(compiler, ['-O3', '-march=native', source, '-o', program], { stdio: 'pipe' });
      return program;
    } catch {
      // The next one may do.
    }
  }
  console.error('no C compiler: the C program is left out');
  return undefined;
}

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** @template {{ fnv1a: string }} T @param {string} side @param {T} result @returns {T} */
function checked(side, result) {
  if (result.fnv1a !== CHECK) throw new Error(`${side}: checksum ${result.fnv1a} is not ${CHECK}`);
  return result;
}

mkdirSync(scratch, { recursive: true });
const rounds = Number(option('rounds', '3'));
const checkout = option('cross-sim', '');
const cli = join(here, '..', 'dist', 'cli.js');
const rival = compiledRival();
const interpreter = python('crossbar', ['numpy', 'scipy', 'torch']);
/** @type {Map<string, number[]>} */
const times = new Map();
/** @param {string} side @param {number} milliseconds */
const note = (side, milliseconds) => times.set(side, [...(times.get(side) ?? []), milliseconds]);
for (let round = 0; round < rounds; round++) {
  const ours = json(process.execPath, [cli, 'bench', 'crossbar', '--threads', '1', '--json']);
  note('ours', checked('ours', ours).milliseconds);
  if (rival) {
    const { kind, packing, converting } = checked('C', json(rival, ['11']));
    note(`C, ${kind}`, packing + converting);
  }
  const script = [join(here, 'crossbar_rival.py'), '3', ...(checkout ? [checkout] : [])];
  const { pytorch, crossSim } = json(interpreter, script);
  if (pytorch.absent) console.error(`PyTorch is left out: ${pytorch.absent}`);
  else note(`PyTorch ${pytorch.version}`, checked('PyTorch', pytorch).milliseconds);
  if (crossSim) note('CrossSim', checked('CrossSim', crossSim).milliseconds);
}
const own = median(times.get('ours') ?? []);
console.log('| side, one thread | ms (median) | ours is faster by |\n|---|---|---|');
for (const [side, all] of times)
  console.log(`| ${side} | ${median(all).toFixed(1)} | ${(median(all) / own).toFixed(2)}x |`);
