import { InputError } from '../errors';
import { type ConstantTable, constantTable, constantValue } from './constant-table';
import adcList from './constants/adc.json';

export type AdcModelName =
  | 'sar-saberi'
  | 'flash'
  | 'ramp'
  | 'sar-neurosim'
  | 'puma'
  | 'newton'
  | 'forms'
  | 'survey';

/** What one ADC costs at `bits` bits. */
export interface AdcModel {
  readonly name: AdcModelName;
  /** One sentence: the law and its source. */
  readonly law: string;
  /** Resolutions the model answers for. */
  readonly lowestBits: number;
  readonly highestBits: number;
  /** Resolutions its source gives; outside them the law is extrapolated. */
  readonly sourceBits: readonly [lowest: number, highest: number];
  /** Energy of one conversion. */
  readonly energyPj: (bits: number) => number;
  /** Area of one ADC; absent where the source has no law. */
  readonly areaUm2?: (bits: number) => number;
  /** Time to convert `columns` columns of one array with its one ADC (a ramp converts them together). */
  readonly readNs: (bits: number, columns: number) => number;
}

export const adcConstants: ConstantTable = constantTable(adcList, 'adc.json');

export const adcModelNames: readonly AdcModelName[] = [
  'sar-saberi',
  'flash',
  'ramp',
  'sar-neurosim',
  'puma',
  'newton',
  'forms',
  'survey',
];

/** Opens an ADC model on a table of constants (default: those of constants/adc.json, 32 nm). */
export function adcModel(name: AdcModelName, constants: ConstantTable = adcConstants): AdcModel {
  if (!adcModelNames.includes(name)) {
    throw new InputError(`ADC model: "${name}" is unknown; one of ${adcModelNames.join(', ')} is needed`);
  }
  return builders[name]((constant, unit) => constantValue(constants, constant, unit));
}

/** Throws an InputError unless the model answers for `bits`. */
export function checkAdcBits(model: AdcModel, bits: number): void {
  const refusal = adcRefusal(model, bits);
  if (refusal) throw new InputError(refusal);
}

/** Why the model does not answer for `bits`, in one line; undefined where it does. */
export function adcRefusal({ name, lowestBits, highestBits }: AdcModel, bits: number): string | undefined {
  if (Number.isInteger(bits) && bits >= lowestBits && bits <= highestBits) return undefined;
  const range =
    lowestBits === highestBits ? `${lowestBits} bits only` : `${lowestBits} to ${highestBits} bits`;
  return `ADC model ${name}: ${bits} bits is outside its validity (${range})`;
}

/** Whether `bits` lies outside the resolutions that the model's source gives. */
export function isExtrapolated(model: AdcModel, bits: number): boolean {
  return bits < model.sourceBits[0] || bits > model.sourceBits[1];
}

/** Energy of `conversions` conversions. No conversions cost nothing at any resolution. */
export function adcEnergy({
  conversions,
  bits,
  model,
}: {
  conversions: number;
  bits: number;
  model: AdcModel;
}): { readonly energyPj: number; readonly extrapolated: boolean } {
  if (!(conversions >= 0 && conversions < Infinity)) {
    throw new InputError(`conversions: ${conversions} is not a number of at least 0`);
  }
  if (conversions === 0) return { energyPj: 0, extrapolated: false };
  checkAdcBits(model, bits);
  return { energyPj: conversions * model.energyPj(bits), extrapolated: isExtrapolated(model, bits) };
}

type Get = (constant: string, unit: string) => number;

const builders: Readonly<Record<AdcModelName, (get: Get) => AdcModel>> = {
  'sar-saberi': (get) => ({
    name: 'sar-saberi',
    law: 'SAR scaled after Saberi from ISAAC: E = 0.1954 b + 4.14e-4 * 2^b pJ, A = 81.73 b + 2.1335 * 2^b um2, fitted to 4-10 bits',
    lowestBits: 1,
    highestBits: 12,
    sourceBits: [4, 10],
    energyPj: (b) => get('sar.energy.linear', 'pJ') * b + get('sar.energy.exponential', 'pJ') * 2 ** b,
    areaUm2: (b) => get('sar.area.linear', 'um2') * b + get('sar.area.exponential', 'um2') * 2 ** b,
    readNs: (_, columns) => columns / get('sar.rate', 'GS/s'),
  }),
  flash: (get) => ({
    name: 'flash',
    law: 'flash: proportional to 2^b - 1 comparators, anchored at the 4-bit SAR',
    lowestBits: 1,
    highestBits: 8,
    sourceBits: [4, 4],
    energyPj: (b) => get('flash.energy.comparator', 'pJ') * (2 ** b - 1),
    areaUm2: (b) => get('flash.area.comparator', 'um2') * (2 ** b - 1),
    readNs: (_, columns) => columns / get('sar.rate', 'GS/s'),
  }),
  ramp: (get) => ({
    name: 'ramp',
    law: 'ramp: 2^b steps for all columns together, anchored at the 8-bit SAR',
    lowestBits: 1,
    highestBits: 10,
    sourceBits: [8, 8],
    energyPj: (b) => get('ramp.energy.step', 'pJ') * 2 ** b,
    areaUm2: (b) => get('ramp.area.fixed', 'um2') + get('ramp.area.bit', 'um2') * b,
    readNs: (b) => get('ramp.step.time', 'ns') * 2 ** b,
  }),
  'sar-neurosim': (get) => {
    const timeNs = (b: number) => (b + 1) * get('neurosim.time.cycle', 'ns');
    const powerUw = (b: number) =>
      get('neurosim.power.linear', 'uW') * b +
      get('neurosim.power.fixed', 'uW') +
      get('neurosim.power.drive', 'uW') *
        Math.exp(get('neurosim.power.slope', '1') * Math.log10(get('neurosim.column.resistance', 'ohm')));
    return {
      name: 'sar-neurosim',
      law: 'NeuroSim SAR, 32 nm: P = 1.0157 b + 7.6286 + 83709 exp(-2.313 log10 R_column) uW for b + 1 ns',
      lowestBits: 1,
      highestBits: 10,
      sourceBits: [1, 10],
      energyPj: (b) => (powerUw(b) * timeNs(b)) / 1000,
      readNs: (b, columns) => timeNs(b) * columns,
    };
  },
  puma: (get) => ({
    name: 'puma',
    law: 'PUMA: 0.25 mW * b for 12.5 ns * b, for 128 columns',
    lowestBits: 1,
    highestBits: 12,
    sourceBits: [1, 12],
    energyPj: (b) =>
      (get('puma.power.bit', 'mW') * b * get('puma.time.bit', 'ns') * b) / get('puma.columns', '1'),
    readNs: (b, columns) => (get('puma.time.bit', 'ns') * b * columns) / get('puma.columns', '1'),
  }),
  newton: (get) => ({
    name: 'newton',
    law: 'Newton: 3.1 mW * b/9 at a fixed rate',
    lowestBits: 1,
    highestBits: 9,
    sourceBits: [1, 9],
    energyPj: (b) => ((get('newton.power.9', 'mW') / 9) * b) / get('newton.rate', 'GS/s'),
    readNs: (_, columns) => columns / get('newton.rate', 'GS/s'),
  }),
  forms: (get) => ({
    name: 'forms',
    law: 'FORMS: one published point, 4 bits',
    lowestBits: 4,
    highestBits: 4,
    sourceBits: [4, 4],
    energyPj: () => get('forms.energy.4', 'pJ'),
    areaUm2: () => get('forms.area.4', 'um2'),
    readNs: (_, columns) => columns / get('sar.rate', 'GS/s'),
  }),
  survey: (get) => ({
    name: 'survey',
    law: 'regression of Murmann’s ADC survey (Accelergy plug-in): best Schreier figure of merit at the rate; not valid below 4 bits',
    lowestBits: 4,
    highestBits: 14,
    sourceBits: [4, 14],
    energyPj: (b) => {
      const rateHz = get('survey.rate', 'GS/s') * 1e9;
      const merit = get('survey.fom.intercept', 'dB') + get('survey.fom.slope', 'dB') * Math.log(rateHz);
      // Signal-to-noise ratio of an ideal b-bit quantiser, in dB.
      const ratio = 6.02 * b + 1.76;
      return 1e12 / (2 * 10 ** ((Math.min(merit, get('survey.fom.max', 'dB')) - ratio) / 10));
    },
    readNs: (_, columns) => columns / get('survey.rate', 'GS/s'),
  }),
};
