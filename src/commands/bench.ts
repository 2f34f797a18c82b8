import { encodingNames } from '../bitplanes/plane-encoding';
import { benchCrossbar } from '../crossbar/bench-crossbar';
import { InputError } from '../errors';
import { benchNetwork, benchNetworkCase } from '../experiments/bench-network';
import { benchTraining } from '../experiments/bench-training';
import { useFastEngines } from '../experiments/fast-engines';
import { openFloatModel } from '../experiments/open-model';
import type { OnProgress } from '../progress';
import { type BenchLayer, benchProjection } from '../projections/bench-projection';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { rowCount, weightMatrix } from '../quantization/weight-matrix';
import { type Command, oneOf, textOption, wholeNumber } from './command';
import { refuseOptions } from './refuse-options';

/** The options of each workload. */
const workloads: Readonly<Record<string, readonly string[]>> = {
  crossbar: ['repeats', 'threads'],
  network: ['repeats', 'adc-bits', 'rows', 'pictures', 'model', 'threads'],
  projection: ['columns', 'model', 'encoding', 'weight-bits', 'adc-bits', 'threads', 'engine'],
  training: ['network', 'mode', 'precision', 'steps', 'batch-size', 'parameters'],
};

export const benchCommand: Command = {
  name: 'bench',
  usage: 'crossbar|network|projection|training [...]',
  summary:
    'Times a speed workload and checks its answer: crossbar (one layer, against its checksum), network (all conversions\nof a network made, pictures a second), projection (all weights of a network, with certified gaps), training (steps or\ninference of a network). bench/ has the comparisons with other tools.',
  options: {
    repeats: { value: 'N', help: 'crossbar (default 11), network (5): timed runs after those to warm up' },
    'adc-bits': {
      value: 'B',
      help: 'ADC bits (default 3), network: 0 to the highest code in steps of 1; projection: 2^B - 1 ones a column',
    },
    rows: { value: 'R', help: 'network: rows summed in one conversion (default 128)' },
    pictures: { value: 'N', help: 'network: generated pictures a run (default 64)' },
    columns: {
      value: 'N',
      help: 'projection: seeded columns of 128 rows (default 87000, as many as ResNet-18 has)',
    },
    model: {
      value: 'MODEL',
      help: 'projection: the weights of this network instead; network: (default resnet20-cifar10)',
    },
    encoding: {
      value: 'NAME',
      help: `projection: ${encodingNames.join(', ')} (default the first)`,
    },
    'weight-bits': { value: 'N', help: 'projection: bits of a weight code, 2 to 8 (default 8)' },
    threads: { value: 'N', help: 'crossbar, network (default 1), projection (one a core)' },
    engine: { value: 'NAME', help: 'projection: wasm (default, where set-up has compiled it) or typescript' },
    network: { value: 'NAME', help: 'training: network of the zoo (default resnet20)' },
    mode: { value: 'NAME', help: 'training: train (default) or infer' },
    precision: {
      value: 'NAME',
      help: 'training: float32 (default), bfloat16, or in inference int8 (the 8-bit network)',
    },
    steps: { value: 'N', help: 'training: timed steps after two to warm up (default 10)' },
    'batch-size': { value: 'N', help: 'training: (default 128)' },
    parameters: { value: 'FILE', help: 'training: write the starting parameters there, for a rival' },
  },
  words: [1, 1],
  async run([name], options, { onProgress }) {
    if (!Object.hasOwn(workloads, name))
      throw new InputError(`bench '${name}' is unknown; there are ${Object.keys(workloads).join(', ')}`);
    const foreign = Object.keys(benchCommand.options).filter((option) => !workloads[name].includes(option));
    refuseOptions(options, foreign, `bench ${name} has none`);
    if (name === 'training') return training(options);
    if (name === 'projection') return projection(options, onProgress);
    if (name === 'network') return network(options, onProgress);
    useFastEngines({ threads: wholeNumber(options, 'threads', 1, 256) ?? 1 });
    const result = benchCrossbar({ repeats: wholeNumber(options, 'repeats', 1, 1000), onProgress });
    const { milliseconds, mappingMilliseconds, repeats, threads, engine, fnv1a } = result;
    return {
      data: result,
      text: `crossbar speed workload: ${milliseconds.toFixed(1)} ms (median of ${repeats}, ${threads} thread${threads > 1 ? 's' : ''}, ${engine}; mapped in ${mappingMilliseconds.toFixed(0)} ms), checksum ${fnv1a}`,
    };
  },
};

function network(options: Parameters<Command['run']>[1], onProgress: OnProgress | undefined) {
  const threads = wholeNumber(options, 'threads', 1, 256) ?? 1;
  // The tensor engine reads these when it starts.
  for (const name of ['TF_NUM_INTRAOP_THREADS', 'OMP_NUM_THREADS']) process.env[name] = String(threads);
  useFastEngines({ threads });
  const model = textOption(options, 'model') ?? 'resnet20-cifar10';
  const bits = wholeNumber(options, 'adc-bits', 1, 16) ?? 3;
  const tileRows = wholeNumber(options, 'rows', 1, 65_535) ?? 128;
  const count = wholeNumber(options, 'pictures', 2, 100_000) ?? 64;
  const { network, pictures } = benchNetworkCase(model, count);
  const repeats = wholeNumber(options, 'repeats', 1, 1000);
  const result = benchNetwork(network, pictures, { tileRows, adc: { bits }, repeats }, onProgress);
  const { picturesPerSecond, enginePicturesPerSecond } = result;
  return {
    data: { model, adcBits: bits, tileRows, ...result },
    text: `${model}, R = ${tileRows}, ${bits}-bit ADC, ${threads} thread${threads > 1 ? 's' : ''}: ${picturesPerSecond.toFixed(1)} pictures/s through the crossbars; ${enginePicturesPerSecond.toFixed(0)} pictures/s on the tensor engine alone`,
  };
}

function projection(options: Parameters<Command['run']>[1], onProgress: OnProgress | undefined) {
  const engine = oneOf('engine', ['wasm', 'typescript'], textOption(options, 'engine') ?? 'wasm');
  useFastEngines({
    threads: wholeNumber(options, 'threads', 1, 256),
    compiled: engine === 'wasm',
  });
  const model = textOption(options, 'model');
  if (model !== undefined) refuseOptions(options, ['columns'], '--model has columns of its own');
  const result = benchProjection({
    layers: model === undefined ? undefined : layersOf(model),
    columns: wholeNumber(options, 'columns', 1, 10_000_000),
    encoding: oneOf('encoding', encodingNames, textOption(options, 'encoding') ?? 'sign-split'),
    weightBits: wholeNumber(options, 'weight-bits', 2, 8),
    adcBits: wholeNumber(options, 'adc-bits', 1, 8),
    cpuSeconds: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    onProgress,
  });
  const { columns, seconds, cpuSeconds = 0, meanGapPercent, largestGapPercent, sample } = result;
  const each = (milliseconds: number) => `${milliseconds.toFixed(3)} ms a column`;
  return {
    data: result,
    text: [
      `${columns} columns projected in ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor time; ${result.threads} threads, ${result.engine}): ${result.columnsPerSecond.toFixed(0)} columns/s`,
      `certified gap ${meanGapPercent.toFixed(4)} % in the mean, ${largestGapPercent.toFixed(2)} % at most; checksum ${result.fnv1a}`,
      `on one thread: ${each(sample.plain)} in plain TypeScript${sample.compiled ? `, ${each(sample.compiled)} in WebAssembly, same codes` : ''}`,
    ].join('\n'),
  };
}

/** The weight matrices of a float network's crossbar layers. */
function layersOf(path: string): BenchLayer[] {
  const { folded, std } = openFloatModel(path);
  return crossbarNodes(folded.description).map((node) => {
    const weights = weightMatrix(node, folded.parameters, { std: std ?? [1, 1, 1] });
    const rows = rowCount(node);
    return { name: node.name, weights, rows, columns: weights.length / rows };
  });
}

function training(options: Parameters<Command['run']>[1]) {
  const mode = oneOf('mode', ['train', 'infer'], textOption(options, 'mode') ?? 'train');
  const precision = oneOf(
    'precision',
    ['float32', 'bfloat16', 'int8'],
    textOption(options, 'precision') ?? 'float32',
  );
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
