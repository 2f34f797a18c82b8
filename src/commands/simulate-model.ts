import { type Rounding, roundings } from '../crossbar/adc';
import { type RangePolicy, rangePolicies } from '../crossbar/adc-range';
import { type StepGranularity, stepGranularities } from '../crossbar/adc-steps';
import { type ConverterModel, checkConverter } from '../crossbar/converter-model';
import { checkDevice, type DeviceModel } from '../crossbar/device-model';
import { devicePreset, devicePresetNames } from '../crossbar/device-presets';
import { observeNetwork } from '../crossbar/network-statistics';
import { InputError } from '../errors';
import { calibrationPictures } from '../experiments/calibration';
import { modelPath, openModel } from '../experiments/open-model';
import { quantizedModel } from '../experiments/quantized-model';
import { requireFit } from '../experiments/require-fit';
import { adcOfLayer, type NetworkAdcs, simulateNetwork } from '../experiments/simulate-network';
import { firstPictures } from '../networks/first-pictures';
import { replaceFile } from '../networks/replace-file';
import { adcBitsText, allBits } from '../quantization/adc-bits';
import type { PruningRecord } from '../quantization/integer-network';
import { type Command, type CommandContext, type Options, textOption, wholeNumber } from './command';
import { datasetOptions, namedDataset, openNamed } from './dataset-options';
import { requireWritable } from './output-file';
import { readJsonFile } from './read-json-file';
import { refuseOptions } from './refuse-options';

/** Pictures on which ranges are chosen and statistics taken. */
const FEW = 16;

export const simulateOptions: Command['options'] = {
  'adc-bits': { value: 'B', help: 'MODEL: ADC bits, or lossless (default: what it was pruned for)' },
  step: { value: 'S', help: 'MODEL: span of one code in ones of a column (default 1)' },
  range: {
    value: 'POLICY',
    help: 'MODEL: steps by 16 training pictures: minimum-mse, percentile:SHARE, maximum, full-scale or lossless',
  },
  'range-per': {
    value: 'WHAT',
    help: 'MODEL: what shares a --range: layer (default), array (R rows of a layer) or column',
  },
  rounding: { value: 'NAME', help: `MODEL: ${roundings.join(', ')} (default half-even)` },
  rows: {
    value: 'R',
    help: 'MODEL: rows summed in one conversion (default: what it was pruned for, else 128)',
  },
  device: {
    value: 'NAME',
    help: 'MODEL: cells of a preset (see below) or of a .json file; default: ideal',
  },
  converter: { value: 'FILE', help: 'MODEL: what the converters get wrong, a .json file' },
  seeds: { value: 'N', help: 'MODEL: circuits drawn, with seeds 1..N (default 1)' },
  pictures: { value: 'N', help: 'MODEL: only the first N test pictures (default all; 200 on a circuit)' },
  statistics: { value: 'FILE', help: 'MODEL: writes what each layer saw on 16 pictures (JSON)' },
  ...datasetOptions,
};

/** For the help of the verb. */
export const presetsText = `Presets of cells: ${devicePresetNames.slice(0, 6).join(', ')},\n${devicePresetNames.slice(6).join(', ')}.`;

/** The verb `simulate MODEL`: accuracy on bit-serial crossbars. */
export async function simulateModel(name: string, options: Options, { onProgress, note }: CommandContext) {
  const asked = askedOf(name, options);
  const model = openModel(name);
  const { pruning } = model.kind === 'integer' ? model.network : { pruning: undefined };
  const adc = asked.adc(pruning);
  const converter = asked.circuit?.converter;
  if (converter !== undefined) {
    if (adc === 'lossless') throw new InputError('--converter: it needs an ADC of some bits, not lossless');
    for (const bits of new Set(allBits(adc.bits))) if (bits > 0) checkConverter(converter, { ...adc, bits });
  }
  const tileRows = asked.tileRows ?? pruning?.tileRows ?? 128;
  const dataset = await openNamed(namedDataset(options, onProgress), note);
  requireFit(model.kind === 'float' ? model.description : model.network.description, dataset);
  const calibration = calibrationPictures(dataset.train, Math.min(256, dataset.train.count), 1);
  const network = model.kind === 'integer' ? model.network : quantizedModel(model, dataset, calibration);
  if (model.kind === 'float') note(`${model.name}: quantised to 8-bit weights and activations, not pruned`);
  const few = firstPictures(calibration, FEW);
  if (asked.statistics !== undefined) {
    const layers = observeNetwork(network, few, { tileRows, adc: (layer) => adcOfLayer(adc, layer) });
    const seen = { model: model.name, tileRows, adc, pictures: few.count, layers };
    replaceFile(asked.statistics, [Buffer.from(`${JSON.stringify(seen, null, 1)}\n`)]);
  }
  const { circuit, seeds, limit } = asked;
  const range = asked.range && { ...asked.range, pictures: few };
  const settings = { tileRows, adc, range, circuit, seeds, limit, onProgress };
  const { accuracy, bySeed, steps } = simulateNetwork(network, dataset.test, settings);
  const { top1, interval, pictures } = accuracy;
  const adcs = adc === 'lossless' ? 'lossless ADC' : `ADC of ${adcBitsText(adc.bits)} bits`;
  const ranges = range ? `, ${range.policy.policy} range per ${range.granularity}` : '';
  const drawn = circuit ? `, ${bySeed.length} circuit${bySeed.length > 1 ? 's' : ''}` : '';
  const { encoding = 'sign-split' } = pruning ?? {};
  return {
    data: {
      model: model.name,
      sha256: model.sha256,
      dataset: dataset.title,
      ...accuracy,
      tileRows,
      weightBits: network.weightBits,
      encoding,
      adc,
      range: asked.range,
      circuit,
      bySeed,
      steps,
    },
    text: `${model.name} on ${dataset.title}: top-1 ${top1.toFixed(2)} % (+-${interval.toFixed(2)}), ${pictures} pictures${drawn}; R = ${tileRows}, ${adcs}${ranges}, ${encoding}`,
  };
}

/** What the options ask for, checked before anything is opened. */
function askedOf(name: string, options: Options) {
  const seeds = wholeNumber(options, 'seeds', 1, 1000) ?? 1;
  const device = deviceOf(textOption(options, 'device'));
  const converterFile = textOption(options, 'converter');
  const converter = converterFile === undefined ? undefined : (readJsonFile(converterFile) as ConverterModel);
  checkDevice(device);
  const circuit = device !== undefined || converter !== undefined ? { device, converter } : undefined;
  if (circuit === undefined)
    refuseOptions(options, ['seeds'], 'without --device or --converter nothing is drawn');
  const statistics = textOption(options, 'statistics');
  if (statistics !== undefined && circuit !== undefined)
    throw new InputError(
      '--statistics: not with --device or --converter; what layers saw is told of ideal crossbars',
    );
  if (statistics !== undefined && options.range !== undefined)
    throw new InputError(
      '--statistics and --range exclude each other: what layers saw is told for one --step',
    );
  if (statistics !== undefined) {
    const files = [textOption(options, 'device'), converterFile].filter((file) => file?.endsWith('.json'));
    requireWritable(statistics, [modelPath(name), ...(files as string[])]);
  }
  return {
    tileRows: wholeNumber(options, 'rows', 1, 65_535),
    adc: adcOf(options),
    range: rangeOf(options),
    circuit,
    seeds: Array.from({ length: seeds }, (_, i) => i + 1),
    statistics,
    limit: wholeNumber(options, 'pictures', 1, 1e9) ?? (circuit ? 200 : undefined),
  };
}

/** The ADC asked for; its bits may be those of a pruning record. */
function adcOf(options: Options): (pruning: PruningRecord | undefined) => 'lossless' | NetworkAdcs {
  const lossless = options['adc-bits'] === 'lossless';
  if (lossless) refuseOptions(options, ['range', 'step', 'rounding'], 'a lossless ADC has none');
  const given = lossless ? undefined : wholeNumber(options, 'adc-bits', 1, 16);
  const text = textOption(options, 'step') ?? '1';
  const step = Number(text);
  if (!(step > 0 && step < Infinity)) throw new InputError(`--step ${text}: a number above 0 is needed`);
  const rounding = (textOption(options, 'rounding') ?? 'half-even') as Rounding;
  if (!roundings.includes(rounding))
    throw new InputError(`--rounding ${rounding}: one of ${roundings.join(', ')} is needed`);
  return (pruning) => {
    if (lossless) return 'lossless';
    const bits = given ?? pruning?.adcBits;
    if (bits === undefined) throw new InputError('--adc-bits: needed, since the model was not pruned');
    return { bits, step, rounding };
  };
}

/** The range policy asked for, and what shares a range. */
function rangeOf(options: Options): { policy: RangePolicy; granularity: StepGranularity } | undefined {
  const text = textOption(options, 'range');
  const per = textOption(options, 'range-per');
  if (text === undefined) {
    if (per !== undefined) throw new InputError(`--range-per ${per}: it needs --range`);
    return undefined;
  }
  const step = textOption(options, 'step');
  if (step !== undefined) throw new InputError(`--step ${step}: not with --range, which chooses it`);
  const granularity = (per ?? 'layer') as StepGranularity;
  if (!stepGranularities.includes(granularity))
    throw new InputError(`--range-per ${per}: one of ${stepGranularities.join(', ')} is needed`);
  return { policy: policyOf(text), granularity };
}

function policyOf(text: string): RangePolicy {
  const [policy, ...given] = text.split(':') as [RangePolicy['policy'], ...string[]];
  if (policy === 'percentile') {
    const share = given.length === 1 ? Number(given[0]) : Number.NaN;
    if (!(share > 0 && share <= 1))
      throw new InputError(`--range ${text}: percentile:SHARE with a share above 0, at most 1`);
    return { policy, share };
  }
  if (rangePolicies.includes(policy) && given.length === 0) return { policy };
  throw new InputError(`--range ${text}: one of ${rangePolicies.join(', ')} is needed`);
}

function deviceOf(text: string | undefined): DeviceModel | undefined {
  if (text === undefined) return undefined;
  return text.endsWith('.json') ? (readJsonFile(text) as DeviceModel) : devicePreset(text);
}
