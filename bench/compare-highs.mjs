// Times our projections of single columns against SciPy's mixed-integer solver (HiGHS) on the same columns, in turn.
//   node bench/compare-highs.mjs [--columns N] [--seconds S] [--model MODEL] [--python PYTHON]
// N columns a case (default 5), Laplace ones in all kinds of limits and columns of a network's layers (default: the
// ResNet-18 of the package, at tuned scales); S seconds at most for a program of HiGHS (default 30); PYTHON has scipy (default: one is
// made in bench/.scratch). HiGHS gets the program with all codes, and once more reduced by hand (see highs_rival.py). Where HiGHS finishes, the optima must agree to 1e-6 of their value; where it does not, each
// side's bound must lie below the other's objective. Anything else is an error, not a result. Times are processor time,
// which other jobs on the machine hardly change.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { option, python } from './scratch-python.mjs';

const here = dirname(fileURLToPath(import.meta.url));
/** @type {typeof import('../dist/index.js')} */
const cim = createRequire(import.meta.url)(join(here, '..', 'dist', 'index.js'));

const PLANES = 7;
/** Top plane in standard deviations that loses least, and a value limit that binds, per row, by ones allowed. */
const SETTINGS = [
  { bitLimit: 3, top: 3.2, values: 0.1 },
  { bitLimit: 7, top: 2.4, values: 0.28 },
  { bitLimit: 15, top: 1.8, values: 0.48 },
];

/** A Laplace column in units of the scale. @param {number} seed @param {number} rows @param {number} top */
function laplaceColumn(seed, rows, top) {
  const stream = cim.randomStream(seed, `laplace column of ${rows}`);
  return Float64Array.from({ length: rows }, () => {
    const u = stream.uniform() - 0.5;
    return ((-Math.sign(u) * Math.log(1 - 2 * Math.abs(u))) / Math.SQRT2) * (2 ** (PLANES - 1) / top);
  });
}

/** Log-normal with standard deviation 1 in the logarithm. @param {number} seed @param {number} rows */
function logNormal(seed, rows) {
  const stream = cim.randomStream(seed, `curvature of ${rows}`);
  return Float64Array.from({ length: rows }, () => Math.exp(stream.normal()));
}

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
/** @param {number} a @param {number} b */
const close = (a, b) => Math.abs(a - b) <= 1e-6 * Math.max(1, a, b);

/** @param {readonly number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** @param {number} x */
const digits = (x) => Number(x.toPrecision(3));

/** @typedef {{ milliseconds: number, finished: boolean, objective: number | null, bound: number }} Answer */

/** Same optimum where both sides have proven theirs, else bounds that do not contradict.
 * @param {{ objective: number, lowerBound: number, gap: number }} ours @param {Answer} theirs */
function agree(ours, theirs) {
  const { objective, lowerBound, gap } = ours;
  if (theirs.finished && gap <= 1e-9 && !close(theirs.objective ?? Number.NaN, objective)) return false;
  if (theirs.objective !== null && lowerBound > theirs.objective * (1 + 1e-6)) return false;
  return theirs.bound <= objective * (1 + 1e-6);
}

/** @param {string} input @param {'plain' | 'reduced'} form @returns {Answer[]} */
function highs(input, form) {
  const output = execFileSync(program, [rival, seconds, form], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return JSON.parse(output).answers;
}

const columns = Number(option('columns', '5'));
const seconds = option('seconds', '30');
const program = python('highs', ['numpy', 'scipy']);
const rival = join(here, 'highs_rival.py');
// Compiles the solvers before the clock runs.
for (let seed = 0; seed < 30; seed++) {
  const { bitLimit, top, values } = SETTINGS[seed % 3];
  const targets = laplaceColumn(seed, 64, top);
  const valueLimit = seed % 2 ? Math.floor(values * 64) : undefined;
  const curvature = seed % 4 < 2 ? logNormal(seed, 64) : undefined;
  cim.projectColumn({ targets, curvature, weightBits: PLANES + 1, bitLimit, valueLimit, method: 'exact' });
}

/** @typedef {{ targets: Float64Array, curvature?: Float64Array, weightBits: number, bitLimit: number, valueLimit?: number }} Problem */
/** @typedef {{ name: string, problems: Problem[] }} Case */

/** Laplace columns in all kinds of limits. @returns {Case[]} */
function laplaceCases() {
  return [128, 64].flatMap((rows) =>
    SETTINGS.flatMap(({ bitLimit, top, values }) =>
      [false, true].flatMap((curved) =>
        [false, true].map((limited) => {
          const valueLimit = limited ? Math.floor(values * rows) : undefined;
          const problems = Array.from({ length: columns }, (_, i) => ({
            targets: laplaceColumn(100 + i, rows, top),
            curvature: curved ? logNormal(100 + i, rows) : undefined,
            weightBits: PLANES + 1,
            bitLimit,
            valueLimit,
          }));
          const limits = `${curved ? ' curvature' : ''}${limited ? ` k_v=${valueLimit}` : ''}`;
          return { name: `R=${rows} k=${bitLimit}${limits}`, problems };
        }),
      ),
    ),
  );
}

/** Columns drawn from all of a network's, at the scales that its projection tunes. @param {string} path @returns {Case[]} */
function networkCases(path) {
  const { folded, std, name } = cim.openFloatModel(path);
  const layers = folded.description.nodes.flatMap((node) => {
    if (node.op !== 'conv' && node.op !== 'dense') return [];
    const weights = cim.weightMatrix(node, folded.parameters, { std: std ?? [1, 1, 1] });
    const rows = cim.rowCount(node);
    return [{ weights, rows, columns: weights.length / rows }];
  });
  return [128, 64].flatMap((tileRows) =>
    SETTINGS.map(({ bitLimit }) => {
      const stream = cim.randomStream(1, `columns of ${tileRows} rows, ${bitLimit} ones`);
      const problems = Array.from({ length: columns }, () => {
        const layer = pick(layers, stream.uniform());
        const { rows, columns: width, weights } = layer;
        const shape = { rows, columns: 1, tileRows: cim.evenTileRows(rows, tileRows) };
        const column = stream.integer(width);
        const own = Float32Array.from({ length: rows }, (_, row) => weights[row * width + column]);
        const method = /** @type {const} */ ('lagrangian');
        const { scales } = cim.tuneScales({
          ...shape,
          weights: own,
          weightBits: PLANES + 1,
          bitLimit,
          method,
        });
        const tile = stream.integer(Math.ceil(rows / shape.tileRows)) * shape.tileRows;
        const targets = Float64Array.from(own.subarray(tile, tile + shape.tileRows), (w) => w / scales[0]);
        return { targets, weightBits: PLANES + 1, bitLimit };
      });
      return { name: `${name} R=${tileRows} k=${bitLimit}`, problems };
    }),
  );
}

/** A layer, with a chance in proportion to its weights. @template {{ weights: Float32Array }} T @param {T[]} layers @param {number} share */
function pick(layers, share) {
  let left = share * layers.reduce((sum, { weights }) => sum + weights.length, 0);
  const found = layers.find(({ weights }) => {
    left -= weights.length;
    return left < 0;
  });
  return found ?? layers[layers.length - 1];
}

const table = [];
/** Times faster than HiGHS, of every column. @type {{ Laplace: number[], network: number[] }} */
const kinds = { Laplace: [], network: [] };
let open = 0;
for (const { name, problems } of [...laplaceCases(), ...networkCases(option('model', 'resnet18-cifar10'))]) {
  /** @param {'exact' | 'lagrangian'} method */
  const ours = (method) =>
    problems.map((problem) => {
      const start = process.cpuUsage();
      const answer = cim.projectColumn({ ...problem, method });
      const { user, system } = process.cpuUsage(start);
      return { ...answer, milliseconds: (user + system) / 1000 };
    });
  const lagrangian = ours('lagrangian');
  const exact = ours('exact');
  const input = JSON.stringify(
    problems.map(({ targets, curvature, bitLimit, valueLimit }) => ({
      targets: [...targets],
      curvature: curvature ? [...curvature] : null,
      planes: PLANES,
      bitLimit,
      valueLimit: valueLimit ?? null,
    })),
  );
  const plain = highs(input, 'plain');
  const reduced = highs(input, 'reduced');
  exact.forEach((mine, i) => {
    if (mine.gap > 1e-9) open++;
    for (const theirs of [plain[i], reduced[i]])
      if (!agree(mine, theirs))
        throw new Error(
          `${name}, column ${i}: ours ${mine.lowerBound}..${mine.objective}, HiGHS ${JSON.stringify(theirs)}`,
        );
  });
  /** @param {{ milliseconds: number }[]} theirs */
  const ratios = (theirs) => exact.map(({ milliseconds }, i) => theirs[i].milliseconds / milliseconds);
  kinds[name.startsWith('R=') ? 'Laplace' : 'network'].push(...ratios(plain));
  /** @param {{ milliseconds: number }[]} answers */
  const time = (answers) => digits(median(answers.map(({ milliseconds }) => milliseconds)));
  const row = {
    case: name,
    'exact ms': time(exact),
    'HiGHS ms': time(plain),
    'x faster': digits(median(ratios(plain))),
    'least x': digits(Math.min(...ratios(plain))),
    'HiGHS reduced ms': time(reduced),
    'x faster than reduced': digits(median(ratios(reduced))),
    'HiGHS finished': `${[...plain, ...reduced].filter((answer) => answer.finished).length}/${2 * columns}`,
    'exact proven': `${exact.filter((answer) => answer.gap <= 1e-9).length}/${columns}`,
    'lagrangian ms': time(lagrangian),
    'lagrangian above %': digits(
      100 * mean(lagrangian.map((answer, i) => answer.objective / exact[i].objective - 1)),
    ),
  };
  console.error(Object.values(row).join('  '));
  table.push(row);
}
console.table(table);
console.log(JSON.stringify(table));
for (const [kind, ratios] of Object.entries(kinds))
  console.log(`${kind} columns: ${digits(median(ratios))} times faster in the median of ${ratios.length}`);
if (open > 0) console.error(`${open} columns not proven optimal by our search`);
