import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import { foldBatchNorm } from '../networks/fold-batch-norm';
import { createInference, type Inference, type Pictures, type Precision } from '../networks/inference';
import { initialParameters } from '../networks/initial-parameters';
import { networkByName } from '../networks/network-by-name';
import { saveParameters } from '../networks/save-parameters';
import { buildIntegerNetwork } from '../quantization/build-integer-network';
import { createIntegerInference } from '../quantization/integer-inference';
import { randomStream } from '../tensor/random';
import { createTrainer, initialState } from '../training/trainer';

/** `int8`: the 8-bit network, exactly as crossbars compute it; inference alone. */
export type BenchPrecision = Precision | 'int8';

export interface TrainingBenchOptions {
  readonly network: string;
  readonly mode: 'train' | 'infer';
  readonly precision: BenchPrecision;
  readonly batchSize: number;
  readonly steps: number;
  /** Where the starting parameters are written, for a rival that must start alike. */
  readonly parameters?: string;
}

export interface TrainingBench {
  readonly network: string;
  readonly mode: 'train' | 'infer';
  readonly precision: BenchPrecision;
  /** Median over the steps after two to warm up. */
  readonly milliseconds: number;
  readonly picturesPerSecond: number;
  /** Loss of the first training step, or mean of the logits' squares: a rival must agree. */
  readonly check: number;
  /** The same after two steps: in training gradients and optimiser count too. */
  readonly later: number;
}

const SIDE = 32;
const NORMALISATION = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };

/** Times training steps or inference on fixed pictures of 32 x 32 from fixed parameters. */
export function benchTraining(options: TrainingBenchOptions): TrainingBench {
  const { mode, precision, batchSize, steps } = options;
  const network = networkByName(options.network);
  const parameters = initialParameters(network, 1);
  if (options.parameters) saveParameters(options.parameters, network, parameters);
  const pixels = benchPixels(batchSize);
  const pictures = { pixels, count: batchSize, height: SIDE, width: SIDE, channels: 3 };
  const run = mode === 'train' ? trainingStep(precision) : inferenceStep();
  const times: number[] = [];
  const checks: number[] = [];
  for (let step = -2; step < steps; step++) {
    const started = performance.now();
    const value = run.step();
    checks.push(value);
    if (step >= 0) times.push(performance.now() - started);
  }
  run.dispose();
  times.sort((a, b) => a - b);
  const milliseconds = (times[(steps - 1) >> 1] + times[steps >> 1]) / 2;
  return {
    network: network.name,
    mode,
    precision,
    milliseconds,
    picturesPerSecond: (1000 * batchSize) / milliseconds,
    check: checks[0],
    later: checks[2],
  };

  function trainingStep(precision: BenchPrecision) {
    if (precision === 'int8') throw new InputError('precision int8: training has float32 and bfloat16');
    const settings = { momentum: 0.9, nesterov: true, weightDecay: 5e-4, batchNormMomentum: 0.1 };
    const trainer = createTrainer(
      { network, precision, ...settings, ...NORMALISATION },
      initialState(network, parameters),
    );
    const targets = new Float32Array(batchSize * network.classes);
    for (let i = 0; i < batchSize; i++) targets[i * network.classes + (i % network.classes)] = 1;
    const random = randomStream(1, 'dropout');
    return {
      step: () => trainer.step({ ...pictures, targets }, 0.01, random).loss,
      dispose: () => trainer.dispose(),
    };
  }

  function inferenceStep() {
    const folded = foldBatchNorm(network, parameters);
    const inference = inferenceOf(folded.description, folded.parameters, precision, pictures);
    const power = (logits: Float32Array) => logits.reduce((sum, x) => sum + x * x, 0) / logits.length;
    return { step: () => power(inference.logits(pictures)), dispose: () => inference.dispose() };
  }
}

function inferenceOf(
  description: NetworkDescription,
  parameters: Parameters,
  precision: BenchPrecision,
  pictures: Pictures,
): Inference {
  if (precision !== 'int8') return createInference(description, parameters, { ...NORMALISATION, precision });
  const bits = { weightBits: 8, inputBits: 8 };
  return createIntegerInference(buildIntegerNetwork(description, parameters, NORMALISATION, pictures, bits));
}

/** Bytes of the linear congruential generator x <- 1664525 x + 1013904223, the top byte of each state, seed 1. */
function benchPixels(batchSize: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: batchSize * SIDE * SIDE * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
