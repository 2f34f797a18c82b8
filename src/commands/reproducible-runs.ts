import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { type EncodingName, encodingNames } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import { fineTuningRecipes } from '../experiments/fine-tuning-recipes';
import { type ImagenetPoint, pointOf } from '../experiments/imagenet-point';
import { lineOf } from '../experiments/methods-table';
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
  type CommandContext,
  type CommandResult,
  type Options,
  oneOf,
  textOption,
  wholeNumber,
} from './command';
import {
  QUICK_BUDGETS,
  QUICK_CROSSBAR,
  QUICK_ENCODINGS,
  QUICK_IMAGENET,
  QUICK_METHODS,
  QUICK_RIVALS,
  quickRecipe,
} from './quick-samples';
import { readJsonFile } from './read-json-file';
import { runFineTuning } from './run-fine-tuning';
import { runFull } from './run-full';
import { packageFile } from './run-script';

/** An experiment or a profile. */
interface ReproducibleRun {
  /** Options that it has, beside those of all. */
  readonly options: readonly string[];
  run(options: Options, context: CommandContext): Promise<CommandResult>;
}

/** Experiments that run by themselves, by the name that --experiment takes. */
export const experiments: Readonly<Record<string, ReproducibleRun>> = {
  projections: {
    options: ['model', 'no-notebook'],
    run: async (options, { onProgress, note }) => {
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
  },
  methods: {
    options: ['data', 'model', 'quick', 'points', 'lines', 'calibration', 'iterations', 'no-notebook'],
    run: async (options, context) => {
      const part = ['points', 'lines', 'calibration', 'iterations'];
      const { result, table, verdict, files } = await runMethods({
        ...common('methods', options, context, part),
        notebook: notebookOf(options, '02-methods.ipynb', part),
        ...(options.quick === true && QUICK_METHODS),
        ...given({
          configurations: textOption(options, 'points')?.split(',').map(crossbarOf),
          entries: textOption(options, 'lines')?.split(',').map(lineOf),
          calibration: wholeNumber(options, 'calibration', 16, 50_000),
          iterations: wholeNumber(options, 'iterations', 1, 1000),
        }),
      });
      return report(result, [table, verdict.table], verdict, files);
    },
  },
  rivals: {
    options: ['data', 'model', 'quick', 'no-notebook'],
    run: async (options, context) => {
      const { result, table, verdict, files } = await runRivals({
        ...common('rivals', options, context),
        notebook: notebookOf(options, '08-rivals.ipynb'),
        ...(options.quick === true && QUICK_RIVALS),
      });
      return report(result, [table, verdict.table], verdict, files);
    },
  },
  crossbar: {
    options: ['data', 'model', 'quick', 'no-notebook'],
    run: async (options, context) => {
      const { result, tables, verdict, files } = await runCrossbar({
        ...common('crossbar', options, context),
        notebook: notebookOf(options, '04-crossbar.ipynb'),
        ...(options.quick === true && QUICK_CROSSBAR),
      });
      return report(result, [...tables.values(), verdict.table], verdict, files);
    },
  },
  hardware: {
    options: ['data', 'model', 'quick', 'no-notebook'],
    run: async (options, context) => {
      const { model, ...rest } = common('hardware', options, context, ['model']);
      const { result, tables, verdict, files } = await runHardware({
        ...rest,
        ...(model !== undefined && { pruned: model.split(',') }),
        notebook: notebookOf(options, '05-hardware.ipynb', ['model']),
        ...(options.quick === true && { testPictures: 200 }),
      });
      return report(result, [...tables.values(), verdict.table], verdict, files);
    },
  },
  imagenet: {
    options: [
      'data',
      'model',
      'quick',
      'calibration',
      'more-calibration',
      'patches',
      'points',
      'distil',
      'trained',
      'earlier',
      'encoding',
      'weight-bits',
      'no-notebook',
    ],
    run: async (options, context) => {
      const coding = codingOf(options);
      const earlier = textOption(options, 'earlier');
      const { result, tables, verdict, files } = await runImagenet({
        ...common('imagenet', options, context),
        moreDir: textOption(options, 'more-calibration'),
        distilled: pointsOf(options, 'distil'),
        trained: textOption(options, 'trained')
          ?.split(',')
          .map((path) => ({ title: `trained further (${basename(path, '.safetensors')})`, path })),
        earlier: earlier === undefined ? undefined : readJsonFile(earlier),
        notebook: coding ? undefined : notebookOf(options, '06-imagenet.ipynb'),
        ...coding,
        ...(options.quick === true && QUICK_IMAGENET),
        ...given({
          points: pointsOf(options, 'points'),
          calibration: wholeNumber(options, 'calibration', 16, 1_000_000),
          patches: wholeNumber(options, 'patches', 1, 1e9),
        }),
      });
      return report(result, [...tables, verdict.table], verdict, files);
    },
  },
  'fine-tuning': {
    options: ['data', 'model', 'pytorch', 'quick', 'no-notebook'],
    run: async (options, context) =>
      networksReport(
        await runFineTuning({
          ...common('fine-tuning', options, context),
          notebook: notebookOf(options, '09-fine-tuning.ipynb'),
          ...(options.quick === true && { recipes: fineTuningRecipes.map(quickRecipe) }),
          python: textOption(options, 'pytorch'),
          context,
        }),
      ),
  },
  encodings: {
    options: ['data', 'model', 'quick', 'points'],
    run: async (options, context) => {
      const { result, tables, verdict, files } = await runEncodings({
        ...common('encodings', options, context, ['points']),
        ...(options.quick === true && QUICK_ENCODINGS),
        ...given({ configurations: textOption(options, 'points')?.split(',').map(crossbarOf) }),
      });
      return report(result, [...tables, verdict.table], verdict, files);
    },
  },
  budgets: {
    options: ['data', 'model', 'quick', 'rows'],
    run: async (options, context) => {
      const { result, table, verdict, files } = await runBudgets({
        ...common('budgets', options, context, ['rows']),
        tileRows: wholeNumber(options, 'rows', 1, 65535),
        ...(options.quick === true && QUICK_BUDGETS),
      });
      return report(result, [table, verdict.table], verdict, files);
    },
  },
};

/** Whole profiles, by the name that --profile takes. */
export const profiles: typeof experiments = {
  smoke: {
    options: ['data', 'model', 'no-notebook'],
    run: async (options, { onProgress, note }) => {
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
  },
  small: {
    options: ['data', 'no-notebook'],
    run: async (options, { onProgress, note }) =>
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
  },
  full: {
    options: ['data', 'model', 'pytorch'],
    run: async (options, context) =>
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
  },
};

function networksReport({ result, tables, verdict, files }: NetworksOutcome): CommandResult {
  return report(result, [...tables, verdict.table], verdict, files);
}

/** A point at which all layers and planes are pruned alike. @throws InputError for another */
function crossbarOf(name: string): { tileRows: number; adcBits: number } {
  const [, crossbar, part] = /^(r[1-9]\d{0,4}-adc[1-8])(-.+)?$/.exec(name) ?? [];
  if (part) throw new InputError(`--points ${name}: only imagenet prunes a part; rR-adcB is needed`);
  if (!crossbar)
    throw new InputError(`--points ${name}: rR-adcB is needed, R rows and B of 1 to 8 bits, as r128-adc3`);
  const { tileRows, adcBits } = pointOf(crossbar, 'points');
  return { tileRows, adcBits };
}

/** The points that an option of experiment imagenet lists. */
function pointsOf(options: Options, option: string): ImagenetPoint[] | undefined {
  return textOption(options, option)
    ?.split(',')
    .map((name) => pointOf(name, option));
}

/** What is defined of some settings. */
function given<T extends object>(settings: T): Partial<T> {
  const defined = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as Partial<T>;
}

/** How weights are to lie in cells, if another way than the package's own. */
function codingOf(options: Options): { encoding: EncodingName; weightBits: number } | undefined {
  const encoding = oneOf('encoding', encodingNames, textOption(options, 'encoding') ?? 'sign-split');
  const weightBits = wholeNumber(options, 'weight-bits', 2, 8) ?? 8;
  return encoding === 'sign-split' && weightBits === 8 ? undefined : { encoding, weightBits };
}

/** @param part options that make less, or something else, of the default network than what the kept figures show */
function common(
  name: string,
  options: Options,
  { onProgress, note }: CommandContext,
  part: readonly string[] = [],
) {
  const folder = options.quick === true ? `${name}-quick` : name;
  return {
    dataDir: textOption(options, 'data'),
    model: textOption(options, 'model'),
    folder: packageFile('runs', folder),
    figures: isWhole(options, part) ? packageFile('figures') : packageFile('runs', folder, 'figures'),
    fresh: options.fresh === true,
    onProgress,
    note,
  };
}

function notebookOf(options: Options, name: string, part: readonly string[] = []): string | undefined {
  const notebook = packageFile('notebooks', name);
  const wanted = options['no-notebook'] !== true && isWhole(options, part);
  return wanted && existsSync(notebook) ? notebook : undefined;
}

/** Whether a run is what the kept figures and notebooks show; those of another network mostly have names of their own. */
function isWhole(options: Options, part: readonly string[]): boolean {
  const ownNames = options.model !== undefined && !part.includes('model');
  const less = !ownNames && part.some((name) => options[name] !== undefined);
  return options.quick !== true && !less;
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
