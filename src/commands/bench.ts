import { benchCrossbar } from '../crossbar/bench-crossbar';
import { InputError } from '../errors';
import { benchTraining } from '../experiments/bench-training';
import { type Command, textOption, wholeNumber } from './command';

export const benchCommand: Command = {
  name: 'bench',
  usage: 'crossbar|training [...]',
  summary:
    'Times a speed workload and checks its answer: crossbar (against its checksum), training (steps or inference of a\nnetwork). bench/ has the comparisons with other tools.',
  options: {
    repeats: { value: 'N', help: 'crossbar: timed runs after one to warm up (default 5)' },
    network: { value: 'NAME', help: 'training: network of the zoo (default resnet20)' },
    mode: { value: 'NAME', help: 'training: train (default) or infer' },
    precision: { value: 'NAME', help: 'training: float32 (default) or bfloat16' },
    steps: { value: 'N', help: 'training: timed steps after two to warm up (default 10)' },
    'batch-size': { value: 'N', help: 'training: (default 128)' },
    parameters: { value: 'FILE', help: 'training: write the starting parameters there, for a rival' },
  },
  words: [1, 1],
  async run([name], options, { onProgress }) {
    if (name === 'training') return training(options);
    if (name !== 'crossbar')
      throw new InputError(`bench '${name}' is unknown; there are crossbar and training`);
    const result = benchCrossbar({ repeats: wholeNumber(options, 'repeats', 1, 1000), onProgress });
    return {
      data: result,
      text: `crossbar speed workload: ${result.milliseconds.toFixed(1)} ms (median of ${result.repeats}, ${result.threads} thread, ${result.engine}), checksum ${result.fnv1a}`,
    };
  },
};

function training(options: Parameters<Command['run']>[1]) {
  const mode = textOption(options, 'mode') ?? 'train';
  const precision = textOption(options, 'precision') ?? 'float32';
  if (mode !== 'train' && mode !== 'infer')
    throw new InputError(`--mode ${mode}: allowed are train and infer`);
  if (precision !== 'float32' && precision !== 'bfloat16')
    throw new InputError(`--precision ${precision}: allowed are float32 and bfloat16`);
  const result = benchTraining({
    network: textOption(options, 'network') ?? 'resnet20',
    mode,
    precision,
    batchSize: wholeNumber(options, 'batch-size', 1, 65_536) ?? 128,
    steps: wholeNumber(options, 'steps', 1, 100_000) ?? 10,
    parameters: textOption(options, 'parameters'),
  });
  const { network, milliseconds, picturesPerSecond } = result;
  return {
    data: result,
    text: `${network}, ${mode}, ${precision}: ${milliseconds.toFixed(1)} ms a step (median), ${picturesPerSecond.toFixed(0)} pictures/s`,
  };
}
