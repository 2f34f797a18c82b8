import { existsSync } from 'node:fs';
import { type EncodingName, encodingNames } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import { fineTuningRecipes } from '../experiments/fine-tuning-recipes';
import { pointOf } from '../experiments/imagenet-point';
import { lineOf } from '../experiments/methods-table';
import type { Recipe } from '../experiments/recipes';
import { rivalEntries } from '../experiments/rival-entries';
import { runBudgets } from '../experiments/run-budgets';
import { runCrossbar } from '../experiments/run-crossbar';
import { runEncodings } from '../experiments/run-encodings';
import { runHardware } from '../experiments/run-hardware';
import { runImagenet } from '../experiments/run-imagenet';
import { runMethods } from '../experiments/run-methods';
import { type NetworksOutcome, runSmall } from '../experiments/run-networks';
import { runProjections } from '../experiments/run-projections';
import { runRivals } from '../experiments/run-rivals';
import { runSmoke } from '../experiments/run-smoke';
import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { toText } from '../reports/to-text';
import {
  type Command,
  type CommandContext,
  type CommandResult,
  type Options,
  oneOf,
  textOption,
  wholeNumber,
} from './command';
import { refuseOptions } from './refuse-options';
import { runFineTuning } from './run-fine-tuning';
import { runFull } from './run-full';
import { packageFile } from './run-script';

/** Experiments that run by themselves, by the name that --experiment takes. */
const experiments: Readonly<
  Record<string, (options: Options, context: CommandContext) => Promise<CommandResult>>
> = {
  projections: async (options, { onProgress, note }) => {
    const model = textOption(options, 'model');
    const { result, tables, verdict, files } = await runProjections({
      models: model === undefined ? [] : [model],
      folder: packageFile('runs', 'projections'),
      figures: packageFile('figures'),
      fresh: options.fresh === true,
      notebook: notebookOf(options, '01-projections.ipynb'),
      onProgress,
      note,
    });
    return report(result, [...tables, verdict.table], verdict, files);
  },
  methods: async (options, context) => {
    // Of the default network, whose kept figures show all of them.
    const part = options.model === undefined && (options.points !== undefined || options.lines !== undefined);
    const { result, table, verdict, files } = await runMethods({
      ...common('methods', options, context),
      ...(part && { figures: packageFile('runs', 'methods', 'figures') }),
      configurations: textOption(options, 'points')?.split(',').map(crossbarOf),
      entries: textOption(options, 'lines')?.split(',').map(lineOf),
      calibration: wholeNumber(options, 'calibration', 16, 50_000),
      iterations: wholeNumber(options, 'iterations', 1, 1000),
      notebook: part ? undefined : notebookOf(options, '02-methods.ipynb'),
      ...(options.quick === true && QUICK_METHODS),
    });
    return report(result, [table, verdict.table], verdict, files);
  },
  rivals: async (options, context) => {
    const { result, table, verdict, files } = await runRivals({
      ...common('rivals', options, context),
      notebook: notebookOf(options, '08-rivals.ipynb'),
      ...(options.quick === true && QUICK_RIVALS),
    });
    return report(result, [table, verdict.table], verdict, files);
  },
  crossbar: async (options, context) => {
    const { result, tables, verdict, files } = await runCrossbar({
      ...common('crossbar', options, context),
      notebook: notebookOf(options, '04-crossbar.ipynb'),
      ...(options.quick === true && QUICK_CROSSBAR),
    });
    return report(result, [...tables.values(), verdict.table], verdict, files);
  },
  hardware: async (options, context) => {
    const { model, ...rest } = common('hardware', options, context);
    const { result, tables, verdict, files } = await runHardware({
      ...rest,
      ...(model !== undefined && { pruned: model.split(',') }),
      notebook: notebookOf(options, '05-hardware.ipynb'),
      ...(options.quick === true && { testPictures: 200 }),
    });
    return report(result, [...tables.values(), verdict.table], verdict, files);
  },
  imagenet: async (options, context) => {
    const coding = codingOf(options);
    const { result, tables, verdict, files } = await runImagenet({
      ...common('imagenet', options, context),
      moreDir: textOption(options, 'more-calibration'),
      points: textOption(options, 'points')?.split(',').map(pointOf),
      distilled: textOption(options, 'distil')?.split(',').map(pointOf),
      trained: textOption(options, 'trained')
        ?.split(',')
        .map((path) => ({ title: 'trained further', path })),
      notebook: coding ? undefined : notebookOf(options, '06-imagenet.ipynb'),
      ...coding,
      ...(options.quick === true && QUICK_IMAGENET),
    });
    return report(result, [...tables, verdict.table], verdict, files);
  },
  'fine-tuning': async (options, context) =>
    networksReport(
      await runFineTuning({
        ...common('fine-tuning', options, context),
        notebook: notebookOf(options, '09-fine-tuning.ipynb'),
        ...(options.quick === true && { recipes: fineTuningRecipes.map(quickRecipe) }),
        context,
      }),
    ),
  encodings: async (options, context) => {
    // Of the default network, whose kept figures show all of them.
    const part = options.model === undefined && options.points !== undefined;
    const { result, tables, verdict, files } = await runEncodings({
      ...common('encodings', options, context),
      ...(part && { figures: packageFile('runs', 'encodings', 'figures') }),
      configurations: textOption(options, 'points')?.split(',').map(crossbarOf),
      ...(options.quick === true && QUICK_ENCODINGS),
    });
    return report(result, [...tables, verdict.table], verdict, files);
  },
  budgets: async (options, context) => {
    const { result, table, verdict, files } = await runBudgets({
      ...common('budgets', options, context),
      tileRows: wholeNumber(options, 'rows', 1, 65535),
      ...(options.quick === true && QUICK_BUDGETS),
    });
    return report(result, [table, verdict.table], verdict, files);
  },
};

/** Options of each experiment and profile, beside those of all. */
const optionsOf: Readonly<Record<string, readonly string[]>> = {
  projections: ['model', 'no-notebook'],
  methods: ['data', 'model', 'quick', 'points', 'lines', 'calibration', 'iterations', 'no-notebook'],
  rivals: ['data', 'model', 'quick', 'no-notebook'],
  crossbar: ['data', 'model', 'quick', 'no-notebook'],
  hardware: ['data', 'model', 'quick', 'no-notebook'],
  imagenet: [
    'data',
    'model',
    'quick',
    'more-calibration',
    'points',
    'distil',
    'trained',
    'encoding',
    'weight-bits',
    'no-notebook',
  ],
  'fine-tuning': ['data', 'model', 'quick', 'no-notebook'],
  encodings: ['data', 'model', 'quick', 'points'],
  budgets: ['data', 'model', 'quick', 'rows'],
  smoke: ['data', 'model', 'no-notebook'],
  small: ['data', 'no-notebook'],
  full: ['data', 'model', 'pytorch'],
};

/** Whole profiles, by the name that --profile takes. */
const profiles: typeof experiments = {
  smoke: async (options, { onProgress, note }) => {
    const { result, tables, verdict, files } = await runSmoke({
      dataDir: textOption(options, 'data'),
      model: textOption(options, 'model'),
      folder: packageFile('runs', 'smoke'),
      figures: packageFile('figures'),
      fresh: options.fresh === true,
      notebook: notebookOf(options, '00-quickstart.ipynb'),
      onProgress,
      note,
    });
    return report(result, [...tables, verdict.table], verdict, files);
  },
  small: async (options, { onProgress, note }) =>
    networksReport(
      await runSmall({
        dataDir: textOption(options, 'data'),
        folder: packageFile('runs', 'small'),
        figures: packageFile('figures'),
        fresh: options.fresh === true,
        notebook: notebookOf(options, '07-networks.ipynb'),
        onProgress,
        note,
      }),
    ),
  full: async (options, context) =>
    networksReport(
      await runFull({
        dataDir: textOption(options, 'data'),
        network: textOption(options, 'model'),
        folder: packageFile('runs', 'full'),
        fresh: options.fresh === true,
        python: textOption(options, 'pytorch'),
        context,
      }),
    ),
};

function networksReport({ result, tables, verdict, files }: NetworksOutcome): CommandResult {
  return report(result, [...tables, verdict.table], verdict, files);
}

/** A few pictures and ADCs. */
const QUICK_CROSSBAR = {
  adcBits: [2, 6],
  testPictures: 1000,
  clippedPictures: 200,
  stuckPictures: 50,
  variedPictures: 20,
  circuits: 2,
  readoutVectors: 32,
} as const;

/** One resolution, ours and one rival: still two epochs each. */
const QUICK_RIVALS = {
  adcBits: [2],
  entries: rivalEntries.filter(({ name }) => name === 'hierarchical' || name === 'value-only'),
  clippedPictures: 40,
  iterations: 4,
} as const;

/** One crossbar, small pictures. */
const QUICK_IMAGENET = {
  points: [{ tileRows: 64, adcBits: 4, part: 'all' }],
  size: 64,
  calibration: 64,
  testPictures: 100,
  iterations: 2,
  patches: 2048,
} as const;

/** An epoch of each training, two iterations of each layer. */
const quickRecipe = ({ line, ...recipe }: Recipe): Recipe => ({
  ...recipe,
  line: line.replace(/--epochs \d+/, '--epochs 1').replace(/--iterations \d+/, '--iterations 2'),
});

/** One budget, few resolutions, iterations and pictures. */
const QUICK_BUDGETS = { testPictures: 1000, budgets: [3], tried: [2, 3, 4], iterations: 4 } as const;

/** One crossbar, two numbers of planes. */
const QUICK_ENCODINGS = {
  configurations: [{ tileRows: 128, adcBits: 4 }],
  planes: [5, 7],
  seeds: 2,
  testPictures: 1000,
  iterations: 2,
} as const;

/** One crossbar and few pictures: shows that everything works. */
const QUICK_METHODS = {
  configurations: [{ tileRows: 64, adcBits: 3 }],
  testPictures: 1000,
  clippedPictures: 40,
} as const;

/** A point at which all layers and planes are pruned alike. */
function crossbarOf(name: string): { tileRows: number; adcBits: number } {
  const { part, ...crossbar } = pointOf(name);
  if (part !== 'all')
    throw new InputError(`--points ${name}: only imagenet prunes a part; rR-adcB is needed`);
  return crossbar;
}

/** How weights are to lie in cells, if another way than the package's own. */
function codingOf(options: Options): { encoding: EncodingName; weightBits: number } | undefined {
  const encoding = oneOf('encoding', encodingNames, textOption(options, 'encoding') ?? 'sign-split');
  const weightBits = wholeNumber(options, 'weight-bits', 2, 8) ?? 8;
  return encoding === 'sign-split' && weightBits === 8 ? undefined : { encoding, weightBits };
}

function common(name: string, options: Options, { onProgress, note }: CommandContext) {
  const quick = options.quick === true;
  return {
    dataDir: textOption(options, 'data'),
    model: textOption(options, 'model'),
    folder: packageFile('runs', quick ? `${name}-quick` : name),
    // Only the whole experiment goes to the figures that are kept.
    figures: quick ? packageFile('runs', `${name}-quick`, 'figures') : packageFile('figures'),
    fresh: options.fresh === true,
    onProgress,
    note,
  };
}

function notebookOf(options: Options, name: string): string | undefined {
  const notebook = packageFile('notebooks', name);
  const wanted = options['no-notebook'] !== true && options.quick !== true;
  return wanted && existsSync(notebook) ? notebook : undefined;
}

function report(
  result: unknown,
  tables: readonly Table[],
  verdict: ExpectedVersusObtained,
  files: readonly string[],
): CommandResult {
  return {
    data: { result, verdict: verdict.results, files },
    text: [...tables.map((table) => toText(table)), `${verdict.summary}; ${files.length} files written`].join(
      '\n\n',
    ),
    exitCode: verdict.exitStatus,
  };
}

export const reproduceCommand: Command = {
  name: 'reproduce',
  usage: '[--profile NAME | --experiment NAME] [--data DIR]',
  summary: [
    'Runs every experiment of a profile, writes its figures and tables, and compares what was expected with what came out.',
    'smoke: ResNet-20 pruned without training (minutes), and its notebook. small: every network that comes with the package',
    'verified anew on all test pictures (minutes). full: those networks trained and pruned again from nothing (hours; resumes).',
    'Or one experiment alone: projections (errors and certified gaps on synthetic columns, row orders of layers; minutes),',
    'methods (every rival at R 128, 64, 32 and 2 to 4 bits), rivals (rivals and ablations after equal training; hours),',
    'budgets (ADC bits allocated to layers and bit planes), encodings (magnitudes and signed digits in as many columns),',
    'crossbar (dense and pruned networks at 1 to 8 ADC bits, on ideal, varied and stuck cells, with ADCs that err),',
    'hardware (energy, area and speed by definition, ADC law and constant; published numbers recomputed),',
    'imagenet (an ImageNet network pruned after training; hours),',
    'fine-tuning (an ImageNet network fine-tuned on other class folders, pruned to 3 and 2 bits in training; 1.5 hours).',
  ].join('\n'),
  options: {
    profile: { value: 'NAME', help: `${Object.keys(profiles).join(', ')} (default smoke)` },
    experiment: { value: 'NAME', help: `one alone: ${Object.keys(experiments).join(', ')}` },
    quick: { help: 'of an experiment only a sample, into runs/' },
    rows: { value: 'R', help: 'experiment budgets: rows summed in one conversion (default 128)' },
    data: {
      value: 'DIR',
      help: `folder of CIFAR10 (default: CIM_PRUNING_DATA, data/, the official download); imagenet,\n${' '.repeat(26)}fine-tuning: class folders`,
    },
    'more-calibration': {
      value: 'DIR',
      help: 'imagenet: class folders of more, unlabelled pictures to calibrate on, four to a mosaic',
    },
    points: {
      value: 'LIST',
      help: `methods, encodings, imagenet: crossbars to prune for, as r128-adc3,r64-adc2, imagenet also
${' '.repeat(26)}r128-adc3-outer4 and r128-adc4-top4 (default: nine, three and twelve; imagenet about 20 min each)`,
    },
    lines: {
      value: 'LIST',
      help: 'methods: what to compare, as unpruned,lagrangian-layer-admm-balanced (default: all)',
    },
    encoding: {
      value: 'NAME',
      help: `imagenet: how weights lie in cells: ${encodingNames.join(', ')} (default sign-split)`,
    },
    'weight-bits': { value: 'N', help: 'imagenet: bits of a pruned weight, 2 to 8 (default 8)' },
    calibration: { value: 'N', help: 'methods: calibration pictures (default 1024)' },
    iterations: { value: 'N', help: 'methods: ADMM iterations a layer (default 25)' },
    distil: {
      value: 'LIST',
      help: 'imagenet: points whose networks are also trained further, without labels, on the calibration pictures',
    },
    trained: {
      value: 'A,B',
      help: 'imagenet: pruned networks that were trained further, measured beside the others',
    },
    model: {
      value: 'MODEL',
      help: `the float network to prune (default: resnet20-cifar10; imagenet, fine-tuning: a file); hardware:\n${' '.repeat(26)}pruned ones, A,B; full: the one network to make, with what it is made from`,
    },
    pytorch: {
      value: 'PYTHON',
      help: 'profile full: a Python with PyTorch for the recipes that need it (default python3)',
    },
    fresh: { help: 'compute everything again instead of going on from an earlier run' },
    'no-notebook': { help: 'leave the notebook alone' },
  },
  words: [0, 0],
  async run(_words, options, context) {
    const [kind, known] =
      options.experiment === undefined
        ? (['profile', profiles] as const)
        : (['experiment', experiments] as const);
    const name = textOption(options, kind) ?? 'smoke';
    if (!Object.hasOwn(known, name))
      throw new InputError(`--${kind} ${name}: allowed are ${Object.keys(known).join(', ')}`);
    const foreign = Object.keys(reproduceCommand.options).filter(
      (option) => ![kind, 'fresh', ...optionsOf[name]].includes(option),
    );
    refuseOptions(options, foreign, `${kind} ${name} has none`);
    return known[name](options, context);
  },
};
