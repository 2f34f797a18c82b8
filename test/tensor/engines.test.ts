import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { nativeAvailable } from '../../src/tensor/native-engine';
import { randomStream } from '../../src/tensor/random';
import { plainConv2d } from './plain-convolution';
import { wholeNumbers } from './values';

const KINDS = (['native', 'wasm', 'cpu'] as const).filter((kind) => kind !== 'native' || nativeAvailable());
const NAMES = { native: 'TensorFlow', wasm: 'tfjs wasm', cpu: 'tfjs cpu' } as const;

/** Modules that have not yet chosen an engine; CIM_PRUNING_ENGINE is `kind` until `vi.unstubAllEnvs`. */
async function freshModules(kind: string | undefined) {
  vi.resetModules();
  vi.stubEnv('CIM_PRUNING_ENGINE', kind);
  return {
    engine: await import('../../src/tensor/engine.js'),
    k: await import('../../src/tensor/kernels.js'),
    convolutions: await import('../../src/tensor/convolution-kernels.js'),
  };
}

type Modules = Awaited<ReturnType<typeof freshModules>>;

function reals(count: number, name: string): Float32Array {
  const stream = randomStream(11, name);
  return Float32Array.from({ length: count }, () => stream.normal());
}

describe.each(KINDS)('engine %s', (kind) => {
  let m: Modules;
  beforeAll(async () => {
    m = await freshModules(kind);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });

  type T = import('../../src/tensor/engine').Tensor;
  const put = (values: ArrayLike<number>, shape: number[]) =>
    m.engine.upload(Float32Array.from(values), shape);
  /** Shape and elements of what `body` makes. */
  const made = (body: () => T) => {
    let shape: readonly number[] = [];
    const values = m.engine.scope(() => {
      const result = body();
      shape = result.shape;
      return Float32Array.from(m.engine.read(result));
    });
    return { shape: [...shape], values: Array.from(values) };
  };
  const values = (body: () => T) => made(body).values;

  test('is the one that CIM_PRUNING_ENGINE names, and tells its version', () => {
    expect(m.engine.engineVersion()).toEqual({
      name: NAMES[kind],
      version: expect.stringMatching(/^\d+\.\d+/),
    });
  });

  test.each([
    [3, 1, 1, 8, 6, 5],
    [3, 2, 1, 8, 3, 4],
    [3, 2, 1, 7, 3, 4],
    [1, 2, 0, 8, 4, 6],
    [1, 1, 0, 5, 9, 3],
    [5, 1, 2, 6, 3, 2],
    [7, 2, 3, 14, 3, 4],
    [3, 1, 0, 6, 2, 3],
  ])(
    'convolutions of codes are exact: kernel %i, stride %i, padding %i, side %i, channels %i to %i',
    (...c) => {
      const [kernel, stride, padding, side, from, to] = c;
      const x = wholeNumbers(2 * side * side * from, 0, 255, 'x');
      const w = wholeNumbers(kernel * kernel * from * to, -127, 127, 'w');
      const xShape = [2, side, side, from] as const;
      const wShape = [kernel, kernel, from, to] as const;
      const got = values(() =>
        m.convolutions.conv2d(put(x, [...xShape]), put(w, [...wShape]), { stride, padding }),
      );
      expect(got).toEqual(Array.from(plainConv2d(x, xShape, w, wShape, { stride, padding })));
    },
  );

  test.each([
    [3, 1, 1, 8],
    [3, 2, 1, 8],
    [1, 2, 0, 6],
  ])('a convolution with bias is that without, plus the bias: kernel %i, stride %i, padding %i', (...c) => {
    const [kernel, stride, padding, side] = c;
    const t = () => put(reals(2 * side * side * 5, 'x'), [2, side, side, 5]);
    const w = () => put(reals(kernel * kernel * 5 * 4, 'w'), [kernel, kernel, 5, 4]);
    const bias = () => put([1, -2, 0.5, 100], [4]);
    const fused = values(() => m.convolutions.conv2dBias(t(), w(), bias(), { stride, padding }));
    const apart = values(() => m.k.biasAdd(m.convolutions.conv2d(t(), w(), { stride, padding }), bias()));
    fused.forEach((value, i) => {
      expect(value).toBeCloseTo(apart[i], 4);
    });
    const codes = () => put(wholeNumbers(2 * side * side * 5, 0, 255, 'codes'), [2, side, side, 5]);
    const weights = () =>
      put(wholeNumbers(kernel * kernel * 5 * 4, -127, 127, 'weights'), [kernel, kernel, 5, 4]);
    const whole = () => put([1, -2, 7, 100], [4]);
    expect(values(() => m.convolutions.conv2dBias(codes(), weights(), whole(), { stride, padding }))).toEqual(
      values(() => m.k.biasAdd(m.convolutions.conv2d(codes(), weights(), { stride, padding }), whole())),
    );
  });

  test.each([
    [true, true],
    [true, false],
    [false, true],
  ])(
    'a convolution adds another tensor (%s) and cuts off below zero (%s) as kernels apart do',
    (added, relu) => {
      const shape = { stride: 2, padding: 1 };
      const x = () => put(wholeNumbers(2 * 64 * 3, 0, 255, 'x'), [2, 8, 8, 3]);
      const w = () => put(wholeNumbers(9 * 3 * 4, -127, 127, 'w'), [3, 3, 3, 4]);
      const bias = () => put([1, -2, 7, 100], [4]);
      const plus = added ? () => put(wholeNumbers(2 * 16 * 4, -9000, 9000, 'plus'), [2, 4, 4, 4]) : undefined;
      const sums = values(() => m.k.biasAdd(m.convolutions.conv2d(x(), w(), shape), bias()));
      const others = plus ? values(plus) : sums.map(() => 0);
      expect(
        values(() => m.convolutions.conv2dBias(x(), w(), bias(), shape, { plus: plus?.(), relu })),
      ).toEqual(sums.map((sum, i) => (relu ? Math.max(0, sum + others[i]) : sum + others[i])));
    },
  );

  test('sums of codes are exact up to 2^24', () => {
    const rows = 518;
    const x = new Float32Array(rows).fill(255);
    const w = new Float32Array(rows * 3).map((_, i) => [127, -127, i % 2 ? 126 : 127][i % 3]);
    const plain = [0, 1, 2].map((n) => x.reduce((sum, code, row) => sum + code * w[row * 3 + n], 0));
    expect(Math.max(...plain)).toBeGreaterThan(2 ** 24 - 2000);
    expect(values(() => m.k.matMul(put(x, [1, rows]), put(w, [rows, 3])))).toEqual(plain);
    const conv = () =>
      m.convolutions.conv2d(put(x, [1, 1, 1, rows]), put(w, [1, 1, rows, 3]), { stride: 1, padding: 0 });
    expect(values(conv)).toEqual(plain);
  });

  test('integers beyond 2^24 are added exactly as int32', () => {
    const { DType } = m.engine;
    const sum = m.engine.scope(() => {
      const big = m.k.cast(put([2 ** 24, -(2 ** 24)], [2]), DType.int32);
      const one = m.k.cast(put([1, -1], [2]), DType.int32);
      return m.k.add(big, one);
    });
    expect(Array.from(m.engine.read(sum))).toEqual([2 ** 24 + 1, -(2 ** 24) - 1]);
    m.engine.dispose(sum);
  });

  test('matrix products take either side transposed', () => {
    const a = [1, 2, 3, 4, 5, 6];
    const b = [1, 0, 2, -1, 3, 1];
    const product = [14, 1, 32, 1];
    expect(made(() => m.k.matMul(put(a, [2, 3]), put(b, [3, 2])))).toEqual({
      shape: [2, 2],
      values: product,
    });
    const at = () => m.k.transpose(put(a, [2, 3]), [1, 0]);
    const bt = () => m.k.transpose(put(b, [3, 2]), [1, 0]);
    expect(values(() => m.k.matMul(at(), put(b, [3, 2]), true))).toEqual(product);
    expect(values(() => m.k.matMul(put(a, [2, 3]), bt(), false, true))).toEqual(product);
    expect(values(() => m.k.matMul(at(), bt(), true, true))).toEqual(product);
  });

  test('numbers half-way round to the even one', () => {
    const x = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999, -3.7, 254.5, 255.5];
    expect(values(() => m.k.round(put(x, [10]))).map((v) => v + 0)).toEqual([
      -2, -2, 0, 0, 2, 2, 2, -4, 254, 256,
    ]);
  });

  test('elementwise kernels broadcast along the last axis and from scalars', () => {
    const x = [-3, -1, 0, 2, 5, 400];
    const t = () => put(x, [3, 2]);
    const row = () => put([2, 4], [2]);
    expect(values(() => m.k.add(t(), row()))).toEqual([-1, 3, 2, 6, 7, 404]);
    expect(values(() => m.k.subtract(t(), row()))).toEqual([-5, -5, -2, -2, 3, 396]);
    expect(values(() => m.k.multiply(t(), row()))).toEqual([-6, -4, 0, 8, 10, 1600]);
    expect(values(() => m.k.multiply(t(), put([1, 2, 3], [3, 1])))).toEqual([-3, -1, 0, 4, 15, 1200]);
    expect(values(() => m.k.divide(t(), row()))).toEqual([-1.5, -0.25, 0, 0.5, 2.5, 100]);
    expect(values(() => m.k.maximum(t(), m.k.scalar(0)))).toEqual([0, 0, 0, 2, 5, 400]);
    expect(values(() => m.k.minimum(t(), row()))).toEqual([-3, -1, 0, 2, 2, 4]);
    expect(values(() => m.k.clip(t(), m.k.scalar(-1), m.k.scalar(255)))).toEqual([-1, -1, 0, 2, 5, 255]);
    expect(values(() => m.k.relu(t()))).toEqual([0, 0, 0, 2, 5, 400]);
    expect(values(() => m.k.sqrt(put([0, 4, 2.25], [3])))).toEqual([0, 2, 1.5]);
    expect(values(() => m.k.biasAdd(put(x, [1, 1, 3, 2]), row()))).toEqual([-1, 3, 2, 6, 7, 404]);
  });

  test('pooling, padding and reductions keep to height and width', () => {
    const x = Array.from({ length: 16 }, (_, i) => (i % 2 ? -i : i));
    const t = () => put(x, [1, 4, 2, 2]);
    expect(made(() => m.k.maxPool(t(), 2, 2))).toEqual({ shape: [1, 2, 1, 2], values: [6, -1, 14, -9] });
    const padded = made(() => m.k.pad(t(), 1, 1, [0, 1]));
    expect(padded.shape).toEqual([1, 6, 4, 3]);
    expect(padded.values.slice(15, 21)).toEqual([0, -1, 0, 2, -3, 0].map((v) => v + 0));
    expect(padded.values.reduce((a, b) => a + b)).toBe(x.reduce((a, b) => a + b));
    expect(made(() => m.k.globalMean(t()))).toEqual({ shape: [1, 2], values: [7, -8] });
    expect(made(() => m.k.sum(t(), [1]))).toEqual({ shape: [1, 2, 2], values: [24, -28, 32, -36] });
    expect(values(() => m.k.sum(put(x, [4, 4]), [0]))).toEqual([24, -28, 32, -36]);
    expect(values(() => m.k.max(t(), [1, 2]))).toEqual([14, -1]);
  });

  test('reshaping, transposing, joining, cutting and slicing move elements only', () => {
    const x = [1, 2, 3, 4, 5, 6];
    const t = () => put(x, [2, 3]);
    expect(made(() => m.k.reshape(t(), [3, 2]))).toEqual({ shape: [3, 2], values: x });
    expect(made(() => m.k.transpose(t(), [1, 0]))).toEqual({ shape: [3, 2], values: [1, 4, 2, 5, 3, 6] });
    const nchw = made(() => m.k.transpose(put(x, [1, 1, 2, 3]), [0, 3, 1, 2]));
    expect(nchw).toEqual({ shape: [1, 3, 1, 2], values: [1, 4, 2, 5, 3, 6] });
    expect(values(() => m.k.concat([put([1, 2], [2]), put([3], [1])]))).toEqual([1, 2, 3]);
    expect(made(() => m.k.concat([t(), t()], 1)).values).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
    const pieces = m.engine.scope(() => m.k.split(put(x, [6]), [1, 3, 2]));
    expect(pieces.map((piece) => Array.from(m.k.floats(piece)))).toEqual([[1], [2, 3, 4], [5, 6]]);
    m.engine.dispose(...pieces);
    expect(values(() => m.k.stridedSlice(t(), [0, 0], [2, 3], [1, 2]))).toEqual([1, 3, 4, 6]);
  });

  test('a reshaped tensor outlives the one it was made of', () => {
    const x = put([1, 2, 3, 4], [4]);
    const view = m.k.reshape(x, [2, 2]);
    m.engine.dispose(x);
    expect(Array.from(m.k.floats(view))).toEqual([1, 2, 3, 4]);
    m.engine.dispose(view);
  });

  test('a tensor does not change with the array it was made of, wherever that lies in memory', () => {
    const memory = new Float32Array(64);
    for (let at = 0; at < 32; at++) {
      const array = memory.subarray(at, at + 4).fill(1);
      const tensor = m.engine.upload(array, [4]);
      array.fill(2);
      expect(Array.from(m.k.floats(tensor))).toEqual([1, 1, 1, 1]);
      m.k.floats(tensor).fill(3);
      expect(Array.from(m.k.floats(tensor))).toEqual([1, 1, 1, 1]);
      m.engine.dispose(tensor);
    }
  });

  test('bytes become floats, and floats whole numbers towards zero', () => {
    const { DType, upload } = m.engine;
    const bytes = () => m.k.cast(upload(Uint8Array.of(0, 1, 128, 255), [4]), DType.float32);
    expect(values(bytes)).toEqual([0, 1, 128, 255]);
    expect(values(() => m.k.cast(put([1.9, -1.9, 7], [3]), DType.int32))).toEqual([1, -1, 7]);
  });

  test('softmax rows are probabilities in the ratio of exponentials', () => {
    const rows = values(() => m.k.softmax(put([0, Math.log(3), 100, 100], [2, 2])));
    [0.25, 0.75, 0.5, 0.5].forEach((expected, i) => {
      expect(rows[i]).toBeCloseTo(expected, 5);
    });
  });

  test('symmetric positive definite systems are solved in float64 by their Cholesky factor', () => {
    const n = 40;
    const { DType, attribute, run, upload } = m.engine;
    const root = reals(n * n, 'root');
    const type = attribute.type('T', DType.float64);
    const triangular = (adjoint: boolean) => [
      type,
      attribute.bool('lower', true),
      attribute.bool('adjoint', adjoint),
    ];
    const [error, residual, above] = m.engine.scope(() => {
      const matrix = m.k.matMul(upload(root, [n, n]), upload(root, [n, n]), true);
      const right = m.k.matMul(matrix, upload(reals(n * 3, 'solution'), [n, 3]));
      const factor = run('Cholesky', [type], [m.k.cast(matrix, DType.float64)]);
      const half = run('MatrixTriangularSolve', triangular(false), [factor, m.k.cast(right, DType.float64)]);
      const solution = m.k.cast(
        run('MatrixTriangularSolve', triangular(true), [factor, half]),
        DType.float32,
      );
      const lower = m.k.cast(factor, DType.float32);
      const gap = (a: T, b: T) =>
        m.k.floats(m.k.subtract(a, b)).reduce((most, d) => Math.max(most, Math.abs(d)), 0);
      return Float32Array.of(
        gap(m.k.matMul(matrix, solution), right),
        gap(m.k.matMul(lower, lower, false, true), matrix),
        m.k
          .floats(lower)
          .reduce((most, x, at) => (at % n > Math.floor(at / n) ? Math.max(most, Math.abs(x)) : most), 0),
      );
    });
    expect(error).toBeLessThan(1e-3);
    expect(residual).toBeLessThan(1e-3);
    expect(above).toBe(0);
  });

  test.skipIf(kind === 'native')('a matrix that is not positive definite has no Cholesky factor', () => {
    const { DType, attribute, run, upload } = m.engine;
    m.engine.scope(() => {
      const matrix = m.k.cast(upload(Float32Array.of(1, 2, 2, 1), [2, 2]), DType.float64);
      expect(() => run('Cholesky', [attribute.type('T', DType.float64)], [matrix])).toThrow(
        'Cholesky: the matrix is not positive definite',
      );
      return undefined;
    });
  });

  test('a scope frees all but what it returns, and errors free all', () => {
    values(() => m.k.reshape(put([1], [1]), [1, 1]));
    const before = m.engine.liveTensors();
    const kept = m.engine.scope(() => m.k.add(put([1], [1]), m.k.reshape(put([2], [1]), [1])));
    expect(m.engine.liveTensors()).toBe(before + 1);
    expect(Array.from(m.k.floats(kept))).toEqual([3]);
    m.engine.dispose(kept);
    expect(() =>
      m.engine.scope(() => {
        put([1], [1]);
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(m.engine.liveTensors()).toBe(before);
  });

  test('a grouped convolution multiplies each group apart, where the engine is the native one', () => {
    const shape = { stride: 1, padding: 0 };
    const x = [1, 2, 3, 4];
    const w = [1, 10, 100, 1000, 2, 20, 200, 2000];
    const grouped = () => m.convolutions.conv2d(put(x, [1, 1, 1, 4]), put(w, [1, 1, 2, 4]), shape);
    if (kind === 'native') expect(values(grouped)).toEqual([5, 50, 1100, 11000]);
    else
      expect(() => values(grouped)).toThrow(
        `a grouped convolution needs the native TensorFlow engine, but CIM_PRUNING_ENGINE asks for ${kind}`,
      );
  });

  test.skipIf(kind === 'native')('training says in one line that it needs the native engine', () => {
    const line = `training needs the native TensorFlow engine, but CIM_PRUNING_ENGINE asks for ${kind}`;
    const error = expect.objectContaining({ name: 'InputError', message: line });
    const { DType } = m.engine;
    m.engine.scope(() => {
      const x = put([1, 2], [1, 1, 1, 2]);
      const w = put([1, 2], [1, 1, 2, 1]);
      const shape = { stride: 1, padding: 0 };
      expect(() => m.convolutions.conv2dFilterGrad(x, w.shape, put([1], [1, 1, 1, 1]), shape)).toThrow(error);
      expect(() => m.k.reluGrad(x, x)).toThrow(error);
      expect(() => m.k.cast(x, DType.bfloat16)).toThrow(error);
      return undefined;
    });
    expect(() => m.engine.requireNativeEngine('training')).toThrow(error);
  });
});

describe('the choice of an engine', () => {
  beforeEach(() => {
    vi.doUnmock('../../src/tensor/native-engine');
  });
  afterEach(() => {
    vi.doUnmock('../../src/tensor/native-engine');
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  test('refuses an unknown name, saying what is allowed', async () => {
    const { engine } = await freshModules('gpu');
    expect(() => engine.engineVersion()).toThrow(
      expect.objectContaining({
        name: 'InputError',
        message: 'CIM_PRUNING_ENGINE=gpu: allowed are native, wasm and cpu',
      }),
    );
  });

  test('falls to wasm where the native engine is missing, and says so in one line', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    vi.doMock('../../src/tensor/native-engine', () => ({
      openNativeEngine() {
        throw new Error('no binding');
      },
    }));
    const { engine } = await freshModules(undefined);
    expect(engine.engineVersion().name).toBe('tfjs wasm');
    engine.engineVersion();
    expect(warn.mock.calls).toEqual([
      [
        'inference runs on tfjs wasm (slower); training needs the native TensorFlow engine, which is not installed here: run `npm run setup`',
      ],
    ]);
    expect(() => engine.requireNativeEngine('training')).toThrow('run `npm run setup`');
  });

  test.skipIf(!nativeAvailable())('takes the native engine where there is one, silently', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const { engine } = await freshModules('');
    expect(engine.engineVersion().name).toBe('TensorFlow');
    expect(() => engine.requireNativeEngine('training')).not.toThrow();
    expect(warn).not.toHaveBeenCalled();
  });

  test('leaves the handling of uncaught errors to the program', async () => {
    const before = process.listenerCount('unhandledRejection');
    const { engine } = await freshModules('wasm');
    engine.engineVersion();
    expect(process.listenerCount('unhandledRejection')).toBe(before);
  });
});
