import { checkWhole } from '../check-number';
import type { OnProgress } from '../progress';
import { type ColumnProjection, projectColumn, relativeGap } from '../projections/project-column';
import { type ProjectionMethod, projectionMethods } from '../projections/projection-method';
import { tuneScales } from '../projections/tune-scales';
import { countBins } from '../reports/histogram';
import { randomStream } from '../tensor/random';

export const distributions = ['Laplace', 'Gauss'] as const;
export type Distribution = (typeof distributions)[number];

/** d of every row: 1, or exp of a standard normal number. */
export const curvatures = ['uniform', 'log-normal'] as const;
export type CurvatureKind = (typeof curvatures)[number];

export interface ProjectionStudyOptions {
  /** Synthetic columns of a case, at least 2; default 200. */
  readonly columns?: number;
  /** Other columns that tune the scales; default 48. */
  readonly tuningColumns?: number;
  /** Default 128, 64, 32, 16. */
  readonly tileRows?: readonly number[];
  /** Default 3, 7, 15. */
  readonly bitLimits?: readonly number[];
  readonly distributions?: readonly Distribution[];
  readonly curvatures?: readonly CurvatureKind[];
  readonly methods?: readonly ProjectionMethod[];
  readonly seed?: number;
  readonly onProgress?: OnProgress;
}

/** One method on the columns of a case. Errors and gaps are shares: 0.33 is 33 %. */
export interface MethodResult {
  readonly method: ProjectionMethod;
  /** The scale that serves this method best: value of the top plane's bit, in standard deviations of the weights. */
  readonly top: number;
  /** Curvature-weighted weight energy lost, mean over the columns, and the standard error of that mean. */
  readonly error: number;
  readonly standardError: number;
  /** Share of weights that are not zero. */
  readonly nonzeroShare: number;
  /** Certified distance from the best hierarchical projection at the same scale, as a share of the error. */
  readonly meanGap: number;
  readonly largestGap: number;
  /** Columns by gap: bins of GAP_BIN, centred on 0, 1, 2, ... bins; the last takes all above. */
  readonly gapCounts: readonly number[];
}

/** Synthetic columns of one kind under one limit. */
export interface ProjectionCase {
  readonly distribution: Distribution;
  readonly curvature: CurvatureKind;
  readonly tileRows: number;
  readonly bitLimit: number;
  readonly methods: readonly MethodResult[];
  /** The Lagrangian projection with a scale for every column, by `tuneScales`; only for uniform curvature. */
  readonly ownScales?: { readonly error: number; readonly standardError: number };
}

export interface ProjectionStudy {
  readonly seed: number;
  readonly columns: number;
  readonly tuningColumns: number;
  readonly weightBits: number;
  readonly cases: readonly ProjectionCase[];
}

/** Width of a bin of `gapCounts`, and how many there are. */
export const GAP_BIN = 0.001;
const GAP_BINS = 51;

const WEIGHT_BITS = 8;
const TOP = 2 ** (WEIGHT_BITS - 2);

/** Top planes tried, in standard deviations: from 1 to 11.3, eight an octave (errors repeat nearly by octave). */
const TOPS = Array.from({ length: 29 }, (_, i) => 2 ** (i / 8));
/** Of those, how many the dearer methods try after greedy has sorted them. */
const FINALISTS = 5;

/**
 * Projects synthetic weight columns by every method: the weight energy lost, the share of nonzeros, and how far from the
 * best each method is certified to be. A case has one scale a method for all its columns, tuned on other columns.
 */
export function projectionStudy(options: ProjectionStudyOptions = {}): ProjectionStudy {
  const { columns = 200, tuningColumns = 48, seed = 1, onProgress } = options;
  checkWhole('columns', columns, 2);
  checkWhole('tuningColumns', tuningColumns, 2);
  const shapes = (options.distributions ?? distributions).flatMap((distribution) =>
    (options.curvatures ?? curvatures).flatMap((curvature) =>
      (options.tileRows ?? [128, 64, 32, 16]).flatMap((tileRows) =>
        (options.bitLimits ?? [3, 7, 15]).map((bitLimit) => ({
          distribution,
          curvature,
          tileRows,
          bitLimit,
        })),
      ),
    ),
  );
  const cases = shapes.map((shape, done) => {
    onProgress?.({
      done,
      total: shapes.length,
      note: `${shape.distribution} columns, R = ${shape.tileRows}`,
    });
    return studyCase(shape, options.methods ?? projectionMethods, columns, tuningColumns, seed);
  });
  onProgress?.({ done: shapes.length, total: shapes.length });
  return { seed, columns, tuningColumns, weightBits: WEIGHT_BITS, cases };
}

type Shape = Pick<ProjectionCase, 'distribution' | 'curvature' | 'tileRows' | 'bitLimit'>;

/** One column: weights of standard deviation 1 and their d. */
interface Sample {
  readonly weights: Float64Array;
  readonly curvature?: Float64Array;
}

function studyCase(
  shape: Shape,
  methods: readonly ProjectionMethod[],
  columns: number,
  tuningColumns: number,
  seed: number,
): ProjectionCase {
  const samples = drawSamples(shape, columns, seed, 'columns');
  const tuning = drawSamples(shape, tuningColumns, seed, 'tuning columns');
  // The exact method takes the Lagrangian's scale: their errors differ by less than a scale's.
  const asTuned = (method: ProjectionMethod) => (method === 'exact' ? 'lagrangian' : method);
  const tops = new Map<ProjectionMethod, number>();
  for (const method of new Set(methods.map(asTuned))) tops.set(method, bestTop(shape, tuning, method));
  const results = methods.map((method) => studyMethod(shape, samples, method, tops.get(asTuned(method))!));
  return {
    ...shape,
    methods: results,
    ...(shape.curvature === 'uniform' && { ownScales: ownScales(shape, samples) }),
  };
}

function studyMethod(
  shape: Shape,
  samples: readonly Sample[],
  method: ProjectionMethod,
  top: number,
): MethodResult {
  const errors = new Float64Array(samples.length);
  const gaps = new Float64Array(samples.length);
  let nonzeros = 0;
  samples.forEach((sample, i) => {
    const found = project(shape, sample, method, top);
    const certified = method === 'exact' || method === 'lagrangian';
    const bound = certified ? found.lowerBound : project(shape, sample, 'lagrangian', top).lowerBound;
    errors[i] = found.objective / energyOf(sample, TOP / top);
    // The bound of the hierarchical set holds for every method's set, which is part of it.
    gaps[i] = Math.max(0, relativeGap(found.objective, bound));
    for (const code of found.codes) if (code !== 0) nonzeros++;
  });
  return {
    method,
    top,
    ...meanAndError(errors),
    nonzeroShare: nonzeros / (samples.length * shape.tileRows),
    meanGap: meanAndError(gaps).error,
    largestGap: Math.max(...gaps),
    gapCounts: [...countBins(gaps, { start: 0, binWidth: GAP_BIN, bins: GAP_BINS })],
  };
}

function project(
  { bitLimit }: Shape,
  { weights, curvature }: Sample,
  method: ProjectionMethod,
  top: number,
): ColumnProjection {
  const targets = weights.map((weight) => (weight * TOP) / top);
  return projectColumn({ targets, curvature, weightBits: WEIGHT_BITS, bitLimit, method });
}

/** The top plane of least mean error on the tuning columns. */
function bestTop(shape: Shape, samples: readonly Sample[], method: ProjectionMethod): number {
  const meanError = (top: number, by: ProjectionMethod) =>
    samples.reduce(
      (sum, sample) => sum + project(shape, sample, by, top).objective / energyOf(sample, TOP / top),
      0,
    );
  const ranked = (tops: readonly number[], by: ProjectionMethod) =>
    tops
      .map((top) => ({ top, error: meanError(top, by) }))
      .sort((a, b) => a.error - b.error)
      .map(({ top }) => top);
  if (method !== 'lagrangian') return ranked(TOPS, method)[0];
  return ranked(ranked(TOPS, 'greedy').slice(0, FINALISTS), method)[0];
}

/** Sum of d weight^2, in units of the code. */
function energyOf({ weights, curvature }: Sample, unit: number): number {
  return unit * unit * weights.reduce((sum, weight, i) => sum + (curvature?.[i] ?? 1) * weight * weight, 0);
}

function ownScales(shape: Shape, samples: readonly Sample[]) {
  const errors = samples.map((sample) => {
    const { objective } = tuneScales({
      weights: sample.weights,
      rows: shape.tileRows,
      columns: 1,
      tileRows: shape.tileRows,
      weightBits: WEIGHT_BITS,
      bitLimit: shape.bitLimit,
      candidates: 16,
    });
    return objective / energyOf(sample, 1);
  });
  return meanAndError(errors);
}

/** Mean and its standard error, from the sample's standard deviation. */
function meanAndError(values: ArrayLike<number>): { error: number; standardError: number } {
  const list = Array.from(values);
  const error = list.reduce((sum, value) => sum + value, 0) / list.length;
  const variance = list.reduce((sum, value) => sum + (value - error) ** 2, 0) / (list.length - 1);
  return { error, standardError: Math.sqrt(variance / list.length) };
}

function drawSamples(shape: Shape, count: number, seed: number, purpose: string): Sample[] {
  const { distribution, curvature, tileRows } = shape;
  const stream = randomStream(seed, `${distribution} ${purpose}, ${tileRows} rows`);
  const weights = Array.from({ length: count }, () =>
    Float64Array.from({ length: tileRows }, () =>
      distribution === 'Gauss' ? stream.normal() : laplace(stream.uniform()),
    ),
  );
  if (curvature === 'uniform') return weights.map((column) => ({ weights: column }));
  const other = randomStream(seed, `curvature of ${purpose}, ${tileRows} rows`);
  return weights.map((column) => ({
    weights: column,
    curvature: Float64Array.from(column, () => Math.exp(other.normal())),
  }));
}

/** A Laplace number of variance 1 from a uniform one in [0, 1). */
function laplace(uniform: number): number {
  const u = uniform - 0.5;
  return (-Math.sign(u) * Math.log(1 - 2 * Math.abs(u))) / Math.SQRT2;
}
