import { InputError } from '../errors';
import { networkHardware, summarizeHardware } from '../experiments/network-hardware';
import { openIntegerModel } from '../experiments/open-model';
import { adcModelNames } from '../hardware/adc-model';
import { scopes } from '../hardware/design-cost';
import { adcBitsOf, adcBitsText } from '../quantization/adc-bits';
import { toText } from '../reports/to-text';
import { type Command, textOption } from './command';

export const hardwareCommand: Command = {
  name: 'hardware',
  usage: 'OUT.safetensors [--dense MODEL] [--adc NAME]',
  summary:
    'Energy, area and latency of one inference at the scopes ADC, macro and tile, against the unpruned network at\nworst-case bits, at its measured lossless bits, and driven a few rows at a time.',
  options: {
    dense: { value: 'MODEL', help: 'the unpruned integer network, for the baselines that need its codes' },
    adc: { value: 'NAME', help: `ADC model: ${adcModelNames.join(', ')} (default sar-saberi)` },
  },
  words: [1, 1],
  async run([path], options) {
    const { name, network } = openIntegerModel(path);
    const { pruning } = network;
    if (!pruning) throw new InputError(`${path}: not a pruned network; \`cim-pruning prune\` makes one`);
    const adc = textOption(options, 'adc') ?? 'sar-saberi';
    const adcModel = adcModelNames.find((known) => known === adc);
    if (!adcModel) throw new InputError(`--adc ${adc}: allowed are ${adcModelNames.join(', ')}`);
    const densePath = textOption(options, 'dense');
    const report = networkHardware(network, {
      tileRows: pruning.tileRows,
      dense: densePath ? openIntegerModel(densePath).network : undefined,
      adcBits: (layer) => adcBitsOf(pruning.adcBits, layer),
      adcModel,
    });
    const { pruned, baselines, notes } = report;
    const table = toText({
      title: `${name}: one inference, R = ${pruning.tileRows}, ${adcBitsText(pruning.adcBits)}-bit ADCs (${report.adcLaw})`,
      columns: [
        { key: 'design', label: 'design' },
        { key: 'conversions', label: 'conversions' },
        ...scopes.map((scope) => ({ key: scope, label: scope, unit: 'nJ' })),
        { key: 'latency', label: 'latency', unit: 'us' },
        ...scopes.map((scope) => ({ key: `${scope}Gain`, label: `gain at ${scope}`, unit: 'x', digits: 2 })),
      ],
      rows: [{ cost: pruned, gains: undefined }, ...baselines].map(({ cost, gains }) => ({
        design: cost.name,
        conversions: cost.conversions,
        latency: cost.latencyNs / 1000,
        ...Object.fromEntries(scopes.map((scope) => [scope, cost.scopes[scope].energyPj / 1000])),
        ...Object.fromEntries(scopes.map((scope) => [`${scope}Gain`, gains?.[scope].energy])),
      })),
    });
    return {
      data: summarizeHardware(report),
      text: [table, ...notes.map((line) => `note: ${line}`)].join('\n'),
    };
  },
};
