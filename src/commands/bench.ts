import { benchCrossbar } from '../crossbar/bench-crossbar';
import { InputError } from '../errors';
import { type Command, wholeNumber } from './command';

export const benchCommand: Command = {
  name: 'bench',
  usage: 'crossbar [--repeats N]',
  summary: 'Times a speed workload and checks its answer against the checksum. Comparisons with other tools: bench/README.md.',
  options: { repeats: { value: 'N', help: 'timed runs after one to warm up (default 5)' } },
  words: [1, 1],
  async run([name], options, { onProgress }) {
    if (name !== 'crossbar') throw new InputError(`bench '${name}' is unknown; there is crossbar`);
    const result = benchCrossbar({ repeats: wholeNumber(options, 'repeats', 1, 1000), onProgress });
    return {
      data: result,
      text: `crossbar speed workload: ${result.milliseconds.toFixed(1)} ms (median of ${result.repeats}, ${result.threads} thread, ${result.engine}), checksum ${result.fnv1a}`,
    };
  },
};
