import { LARGE_PATCHES } from '../admm/post-training-settings';
import { encodingNames } from '../bitplanes/plane-encoding';
import { IMAGENET_CALIBRATION } from '../experiments/run-imagenet';
import { type Command, oneOf, textOption } from './command';
import { refuseOptions } from './refuse-options';
import { experiments, profiles } from './reproducible-runs';

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
    'fine-tuning (an ImageNet network fine-tuned on other class folders, pruned to 3 and 2 bits; 2 hours).',
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
${' '.repeat(26)}r128-adc3-outer4, -classifier5, -top4, -allocated (default: 9, 3, 12; imagenet 15 min each)`,
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
    calibration: {
      value: 'N',
      help: `calibration pictures (methods: default 1024; imagenet: ${IMAGENET_CALIBRATION}, which are not scored then)`,
    },
    iterations: { value: 'N', help: 'methods: ADMM iterations a layer (default 25)' },
    patches: {
      value: 'N',
      help: `imagenet: input patches a layer for its Hessian (default ${LARGE_PATCHES})`,
    },
    distil: {
      value: 'LIST',
      help: 'imagenet: points whose networks are also trained further, without labels, on the calibration pictures',
    },
    trained: {
      value: 'A,B',
      help: 'imagenet: pruned networks that were trained further, measured beside the others',
    },
    earlier: {
      value: 'FILE',
      help: 'imagenet: NAME.results.json of a run under the same conditions: its points are shown too',
    },
    model: {
      value: 'MODEL',
      help: `the float network to prune (default: resnet20-cifar10; imagenet, fine-tuning: a file); hardware:\n${' '.repeat(26)}pruned ones, A,B; full: the one network to make, with what it is made from`,
    },
    pytorch: {
      value: 'PYTHON',
      help: `profile full: a Python with PyTorch for the recipes that need it (default python3);\n${' '.repeat(26)}fine-tuning: the float network is trained by it`,
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
    const name = oneOf(kind, Object.keys(known), textOption(options, kind) ?? 'smoke');
    const foreign = Object.keys(reproduceCommand.options).filter(
      (option) => ![kind, 'fresh', ...known[name].options].includes(option),
    );
    refuseOptions(options, foreign, `${kind} ${name} has none`);
    return known[name].run(options, context);
  },
};
