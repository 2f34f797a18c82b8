import type { OpenDatasetOptions } from '../data/open-dataset';
import { InputError } from '../errors';
import { calibrationPictures } from '../experiments/calibration';
import { denseNetwork } from '../experiments/dense-network';
import { designsTable, gainsTable, layersTable } from '../experiments/hardware-report';
import { networkActivity } from '../experiments/network-activity';
import { networkHardware, summarizeHardware } from '../experiments/network-hardware';
import { openModel } from '../experiments/open-model';
import { requireFit } from '../experiments/require-fit';
import { adcModelNames } from '../hardware/adc-model';
import { constantsAt, type HardwarePreset, hardwarePreset } from '../hardware/hardware-preset';
import type { Skipping } from '../hardware/input-activity';
import { hardwarePresetNames, namedHardwarePreset } from '../hardware/named-presets';
import { adcBitsOf, adcBitsText } from '../quantization/adc-bits';
import type { IntegerNetwork } from '../quantization/integer-network';
import { toText } from '../reports/to-text';
import { type Command, type CommandContext, type Options, oneOf, textOption, wholeNumber } from './command';
import { datasetOptions, namedDataset, openNamed } from './dataset-options';
import { openCertified } from './open-certified';
import { readJsonFile } from './read-json-file';
import { refuseOptions } from './refuse-options';

const SKIPS: Readonly<Record<string, Skipping>> = {
  none: {},
  'input-bits': { inputBits: true },
  rows: { rows: true },
};

export const hardwareCommand: Command = {
  name: 'hardware',
  usage: 'OUT.safetensors [--dense MODEL] [--adc NAME] [--preset NAME] [--arrays N] [--skip WHAT]',
  summary:
    'Energy, area, latency, TOPS/W and TOPS/mm2 of one inference at the scopes ADC, macro and tile, against the unpruned\nnetwork at worst-case bits, at its measured lossless bits, and driven a few rows at a time. R, ADC and DAC bits are those\nthat it was pruned for.\nA preset of your own: {"constants": [{"name", "value", "unit"}, ...], "adcModel", "node", "description"}.',
  options: {
    dense: {
      value: 'MODEL',
      help: 'the unpruned network, float or integer, for the baselines that need its codes',
    },
    adc: { value: 'NAME', help: `ADC model: ${adcModelNames.join(', ')} (default sar-saberi)` },
    preset: {
      value: 'NAME',
      help: `${hardwarePresetNames.join(', ')}, or a .json file of your own`,
    },
    arrays: {
      value: 'N',
      help: 'arrays that every design may use; slow layers are copied for balance (default: one copy each)',
    },
    skip: {
      value: 'WHAT',
      help: 'zero inputs left out: none, input-bits (pulses that drive no row) or rows (default none)',
    },
    pictures: { value: 'N', help: 'training pictures whose inputs are counted for --skip (default 16)' },
    ...datasetOptions,
    data: {
      value: 'DIR',
      help: 'folder of the data set, for --skip (default: CIM_PRUNING_DATA, then data/)',
    },
    layers: { help: 'show every layer of the pruned network, too' },
  },
  words: [1, 1],
  async run([path], options, context) {
    const { name, network } = openCertified(path);
    const { pruning } = network;
    if (!pruning) throw new InputError(`${path}: not a pruned network; \`cim-pruning prune\` makes one`);
    const adcName = textOption(options, 'adc');
    const adc = adcName === undefined ? undefined : oneOf('adc', adcModelNames, adcName);
    const presetName = textOption(options, 'preset');
    const preset = readPreset(presetName);
    const skip = skipOf(options);
    const arrayBudget = wholeNumber(options, 'arrays', 1, 1e9);
    const data = activityData(options, skip, context);
    const densePath = textOption(options, 'dense');
    const report = networkHardware(network, {
      tileRows: pruning.tileRows,
      dense: densePath === undefined ? undefined : denseNetwork(openModel(densePath), network),
      adcBits: (layer) => adcBitsOf(pruning.adcBits, layer),
      adcModel: adc ?? preset.adcModel,
      constants: preset,
      arrayBudget,
      skip,
      activity: data && (await activityOf(network, pruning.tileRows, data, context)),
    });
    const { tileRows, dacBits = 1 } = pruning;
    const dacs = dacBits > 1 ? `${dacBits}-bit DACs, ` : '';
    const title = `${name}: one inference, R = ${tileRows}, ${dacs}${adcBitsText(pruning.adcBits)}-bit ADCs (${report.adcLaw})`;
    return {
      data: { ...(presetName !== undefined && { preset: presetName }), ...summarizeHardware(report) },
      text: [
        toText(designsTable(report, title)),
        toText(
          gainsTable(report, 'Efficiency (product: TOPS/W x TOPS/mm2), and gains of the pruned network'),
        ),
        ...(options.layers === true ? [toText(layersTable(report, name))] : []),
        ...(preset.description ? [`preset ${presetName}: ${preset.description}`] : []),
        ...report.notes.map((line) => `note: ${line}`),
      ].join('\n'),
    };
  },
};

function readPreset(text: string | undefined): HardwarePreset {
  if (text === undefined) return constantsAt();
  return text.endsWith('.json') ? hardwarePreset(readJsonFile(text), text) : namedHardwarePreset(text);
}

function skipOf(options: Options): Skipping {
  return SKIPS[oneOf('skip', Object.keys(SKIPS), textOption(options, 'skip') ?? 'none')];
}

/** The pictures whose inputs are counted; undefined where no input is skipped. */
function activityData(options: Options, skip: Skipping, { onProgress }: CommandContext) {
  if (skip.inputBits || skip.rows)
    return {
      count: wholeNumber(options, 'pictures', 16, 1024) ?? 16,
      ...namedDataset(options, onProgress),
    };
  refuseOptions(options, ['pictures', ...Object.keys(datasetOptions)], 'only --skip takes pictures');
  return undefined;
}

async function activityOf(
  network: IntegerNetwork,
  tileRows: number,
  { count, ...data }: { readonly count: number } & OpenDatasetOptions,
  { note }: CommandContext,
) {
  const dataset = await openNamed(data, note);
  requireFit(network.description, dataset);
  return networkActivity(network, calibrationPictures(dataset.train, count, 1), tileRows);
}
