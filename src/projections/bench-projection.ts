import type { EncodingName } from '../bitplanes/plane-encoding';
import { checkWhole } from '../check-number';
import type { OnProgress } from '../progress';
import { threadCount, useThreadPool } from '../tensor/parallel';
import { randomStream } from '../tensor/random';
import { compiledCore, useCompiledCore } from './column-core';
import { projectLayer } from './project-layer';
import { tuneScales } from './tune-scales';

/** Layers of a network as they lie on crossbars. */
export interface BenchLayer {
  readonly name: string;
  /** [rows * columns], row-major. */
  readonly weights: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

export interface ProjectionBenchOptions {
  /** Layers to project; default: `columns` columns of 128 Laplace-distributed weights. */
  readonly layers?: readonly BenchLayer[];
  /** Default 87,000: as many as the weights of ResNet-18 for ImageNet make. */
  readonly columns?: number;
  /** Default `sign-split`. */
  readonly encoding?: EncodingName;
  /** 2 to 8; default 8. */
  readonly weightBits?: number;
  /** 2^adcBits - 1 ones are allowed in a bit column; 1 to 8, default 3. */
  readonly adcBits?: number;
  /** Columns on which plain TypeScript and the compiled core are compared; default 500. */
  readonly sample?: number;
  /** Processor time used so far by all threads, in seconds; where it can be told. */
  readonly cpuSeconds?: () => number;
  readonly onProgress?: OnProgress;
}

export interface ProjectionBench {
  /** Columns of at most 128 rows: (row tile, output channel), both polarities. */
  readonly columns: number;
  readonly seconds: number;
  readonly cpuSeconds?: number;
  readonly columnsPerSecond: number;
  /** Certified gaps, (objective - bound) / objective, in percent. */
  readonly meanGapPercent: number;
  readonly largestGapPercent: number;
  /** Mean squared error kept, relative to the weights' power. */
  readonly relativeError: number;
  /** 32-bit FNV-1a of all codes: the same for both engines and any number of threads. */
  readonly fnv1a: string;
  readonly threads: number;
  readonly engine: 'WebAssembly' | 'TypeScript';
  /** Milliseconds (of processor time, where known) a column on one thread, on a sample; codes are checked to be the same. */
  readonly sample: { readonly columns: number; readonly plain: number; readonly compiled?: number };
}

const limitsOf = ({ encoding = 'sign-split', weightBits = 8, adcBits = 3 }: ProjectionBenchOptions) =>
  ({ tileRows: 128, encoding, weightBits, bitLimit: 2 ** adcBits - 1, method: 'lagrangian' }) as const;

/**
 * Projects all weights of a network by the Lagrangian method at tuned scales, and times it without the tuning.
 * @throws InputError for columns or a sample that are not whole numbers of at least 1, and for adcBits; Error where both engines differ
 */
export function benchProjection(options: ProjectionBenchOptions = {}): ProjectionBench {
  const { columns = 87_000, sample = 500, cpuSeconds, onProgress } = options;
  const limits = limitsOf(options);
  if (options.adcBits !== undefined) checkWhole('adcBits', options.adcBits, 1, 8);
  checkWhole('columns', columns, 1);
  checkWhole('sample', sample, 1);
  const layers = options.layers ?? laplaceLayers(columns);
  const total = layers.length;
  let done = 0;
  let count = 0;
  let seconds = 0;
  let cpu = 0;
  let gaps = 0;
  let largest = 0;
  let error = 0;
  let power = 0;
  let hash = 0x811c9dc5;
  for (const layer of layers) {
    const { scales } = tuneScales({ ...limits, ...layer, method: 'greedy' });
    const cpuBefore = cpuSeconds?.() ?? 0;
    const start = performance.now();
    const projected = projectLayer({ ...limits, ...layer, targets: layer.weights, scales });
    seconds += (performance.now() - start) / 1000;
    cpu += (cpuSeconds?.() ?? 0) - cpuBefore;
    count += projected.gaps.length;
    for (const gap of projected.gaps) {
      gaps += gap;
      largest = Math.max(largest, gap);
    }
    error += projected.objective;
    for (const weight of layer.weights) power += weight * weight;
    hash = fnv1a(projected.codes, hash);
    onProgress?.({ done: ++done, total, note: 'layers projected' });
  }
  return {
    columns: count,
    seconds,
    ...(cpuSeconds && { cpuSeconds: cpu }),
    columnsPerSecond: count / seconds,
    meanGapPercent: (100 * gaps) / count,
    largestGapPercent: 100 * largest,
    relativeError: error / power,
    fnv1a: (hash >>> 0).toString(16).padStart(8, '0'),
    threads: threadCount(),
    engine: compiledCore() ? 'WebAssembly' : 'TypeScript',
    sample: compareEngines(sample, limits, cpuSeconds ?? (() => performance.now() / 1000)),
  };
}

/** Seeded columns of 128 rows in layers of 500. */
function laplaceLayers(columns: number): BenchLayer[] {
  const layers: BenchLayer[] = [];
  for (let first = 0; first < columns; first += 500) {
    const stream = randomStream(1, `projection bench ${first}`);
    const width = Math.min(500, columns - first);
    const weights = Float32Array.from({ length: 128 * width }, () => {
      const u = stream.uniform() - 0.5;
      return -Math.sign(u) * Math.log(1 - 2 * Math.abs(u));
    });
    layers.push({ name: `columns ${first} on`, weights, rows: 128, columns: width });
  }
  return layers;
}

/** Times both engines on one thread on the first columns; the pool and the core in use are put back. */
function compareEngines(
  columns: number,
  limits: ReturnType<typeof limitsOf>,
  seconds: () => number,
): ProjectionBench['sample'] {
  const [layer] = laplaceLayers(Math.min(500, columns));
  const { scales } = tuneScales({ ...limits, ...layer, method: 'greedy' });
  const compiled = compiledCore();
  const time = () => {
    let least = Infinity;
    let hash = 0;
    for (let run = 0; run < 3; run++) {
      const start = seconds();
      const { codes } = projectLayer({ ...limits, ...layer, targets: layer.weights, scales });
      least = Math.min(least, 1000 * (seconds() - start));
      hash = fnv1a(codes, 0x811c9dc5);
    }
    return { milliseconds: least / layer.columns, hash };
  };
  const pool = useThreadPool(undefined);
  try {
    const fast = compiled && time();
    useCompiledCore(undefined);
    const plain = time();
    if (fast && fast.hash !== plain.hash)
      throw new Error('projection bench: the compiled core gives other codes than plain TypeScript');
    return { columns: layer.columns, plain: plain.milliseconds, compiled: fast?.milliseconds };
  } finally {
    useThreadPool(pool);
    useCompiledCore(compiled);
  }
}

/** 32-bit FNV-1a over the bytes of codes, continued from `hash`. */
function fnv1a(codes: Int8Array, hash: number): number {
  let result = hash;
  for (const code of codes) result = Math.imul(result ^ (code & 255), 0x01000193);
  return result;
}
