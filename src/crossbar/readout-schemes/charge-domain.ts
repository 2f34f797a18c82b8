import { checkNumber, checkWhole } from '../../check-number';
import { randomStream } from '../../tensor/random';
import { adcCodes } from '../adc';
import { addOffset } from '../finish-outputs';
import type { LayerJob, LayerResult } from '../layer-job';
import { type BitColumn, bitColumns } from './bit-columns';
import { attenuatedWeights } from './capacity-attenuator';
import { checkChoice, withDefaults } from './check-setting';
import { exactProduct } from './exact-product';
import { gatedFlash } from './gated-flash';
import { activeRows, columnSums, type PulsePlanes, pulsePlanes } from './pulse-planes';

export type ChargeConversion = 'input-plane' | 'whole-input';

export const chargeConversions: readonly ChargeConversion[] = ['input-plane', 'whole-input'];

/**
 * The 28 nm SRAM macro with hierarchical capacity attenuator and input-sparsity-optimised ADC (Xiao et al., TCAS-II 2023;
 * known to us by its abstract). Charges of the weight planes are combined in the analog domain, binary weighted by an
 * attenuator, and one flash conversion follows; comparators above what the sensed inputs can reach stay off.
 */
export interface ChargeDomainSettings {
  /** Resolution of the flash ADC, 1..16 (2..16 where sums are signed). Default 6: assumed, the abstract names none. */
  readonly adcBits?: number;
  /**
   * What one conversion covers: `input-plane`, one pulse plane, the planes shifted and added digitally; `whole-input`,
   * all of them, combined by charge as the weight planes are. Default `input-plane`: assumed.
   */
  readonly conversion?: ChargeConversion;
  /**
   * The sum at the highest code, above 0, in units of weight code times input code. `worst-case`: all rows at their
   * largest; `stored-codes`: the largest that the layer's codes allow. A range of at most the highest code gets a step
   * of exactly 1. Default `stored-codes`: assumed; `calibrateChargeRange` finds a better one.
   */
  readonly range?: number | 'worst-case' | 'stored-codes';
  /** Standard deviation of an attenuator stage's ratio, relative, 0..0.5. Default 0: ideal. 0.01 is a usual value: assumed. */
  readonly attenuatorSigma?: number;
  /** Standard deviation of a comparator's offset, in steps, 0..10. Default 0: assumed. */
  readonly comparatorSigma?: number;
  /** Active rows are sensed in multiples of so many, rounded up; 1..4096. Default 1: assumed. */
  readonly sensorRows?: number;
  /** Whole number; attenuators and comparators are drawn from it. Default 1. */
  readonly seed?: number;
}

export const chargeDomainDefaults = {
  adcBits: 6,
  conversion: 'input-plane',
  range: 'stored-codes',
  attenuatorSigma: 0,
  comparatorSigma: 0,
  sensorRows: 1,
  seed: 1,
} as const satisfies Required<ChargeDomainSettings>;

export interface ChargeDomainResult extends LayerResult<Float64Array> {
  /** Sum at the highest code. */
  readonly range: number;
  /** Span of one code. */
  readonly step: number;
  /** Comparators that were on, over all conversions: a proxy of the flash ADC's energy. */
  readonly comparatorsFired: number;
  /** The same without gating: every comparator in every conversion. */
  readonly comparatorsUngated: number;
  /** Conversions whose code the gating cut off: only mismatch or offset brings a sum above its bound. */
  readonly cutByGate: number;
}

/** What the paper's abstract states of the macro: for comparison, never an input of the model. */
export const chargeDomainPublished = {
  energyEfficiency: { value: 646.6, unit: 'TOPS/W', of: '4-bit inputs and weights, average' },
  throughput: { value: 1638.4, unit: 'GOPS', of: 'the macro' },
  accuracy: { value: 84.89, unit: '%', of: 'CIFAR10, 4-bit inputs and weights' },
  capacity: { value: 32, unit: 'Kb', of: 'the macro' },
  technology: { value: 28, unit: 'nm', of: 'CMOS' },
} as const;

/** Runs a layer through the charge-domain macro. The converter of the settings takes the place of the job's. */
export function chargeDomain(job: LayerJob, settings: ChargeDomainSettings = {}): ChargeDomainResult {
  const all = checked(job, settings);
  const whole = all.conversion === 'whole-input';
  const converter = chargeConverter(job, all, fullScale(job, all.range, whole));
  combineCharges(job, all, converter.add);
  return converter.finish();
}

/** Shares of the range that the stored codes allow, tried for the least error. */
const SHARES = [1, 3 / 4, 1 / 2, 3 / 8, 1 / 4, 3 / 16, 1 / 8, 1 / 16];

/** The range of least squared output error on a job's inputs, among shares of what its stored codes allow. */
export function calibrateChargeRange(
  job: LayerJob,
  settings: Omit<ChargeDomainSettings, 'range'> = {},
): number {
  const all = checked(job, settings);
  const most = fullScale(job, 'stored-codes', all.conversion === 'whole-input');
  const converters = SHARES.map((share) => chargeConverter(job, all, most * share));
  // The charges are the same whatever converts them.
  combineCharges(job, all, (charge) => {
    for (const { add } of converters) add(charge);
  });
  const exact = exactProduct(job);
  let best = most;
  let least = Infinity;
  for (const { finish } of converters) {
    const { outputs, range } = finish();
    let error = 0;
    for (let i = 0; i < outputs.length; i++) error += (outputs[i] - exact[i]) ** 2;
    if (error < least) [best, least] = [range, error];
  }
  return best;
}

/** One physical converter and the charges that come to it. */
interface Charges {
  readonly column: number;
  /** What a code counts for, in sign. */
  readonly sign: number;
  /** Combined sums, [vectors] or [planes][vectors]; undefined where the columns are empty: nothing is converted. */
  readonly values: Float64Array | undefined;
  /** What they cannot pass, from the number of active rows that is sensed. */
  readonly bounds: Float64Array;
}

/** Combines the charges of the weight planes, and of the pulse planes where one conversion covers them, converter by converter. */
function combineCharges(
  job: LayerJob,
  { conversion, attenuatorSigma, sensorRows, seed }: Required<ChargeDomainSettings>,
  visit: (charges: Charges) => void,
): void {
  const whole = conversion === 'whole-input';
  const { vectors, columns, tiles, slices, encoding } = job;
  const planes = pulsePlanes(job);
  const mismatch = randomStream(seed, 'capacity attenuator');
  const sums = new Int32Array(planes.width);
  const values = new Float64Array(whole ? vectors : planes.width);
  const groups = analogGroups(job);
  const nominal = Array.from(encoding.weights.subarray(0, encoding.planes), Math.abs);
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    const bounds = sensedBounds(job, planes, tile, sensorRows, whole);
    const inTile = bitColumns(job, tile);
    let next = 0;
    for (let column = 0; column < columns; column++) {
      const own: BitColumn[] = [];
      while (next < inTile.length && inTile[next].column === column) own.push(inTile[next++]);
      for (const { members, sign } of groups) {
        // Drawn for empty columns too, so that what a column's circuit is like never depends on its neighbours' codes.
        const weights = attenuatedWeights(nominal, attenuatorSigma, mismatch);
        const charged = own.filter(({ readout }) => members.has(readout.plus));
        values.fill(0);
        for (const bitColumn of charged) {
          columnSums(bitColumn, planes, sums);
          const gain = weights[bitColumn.readout.plus % encoding.planes];
          for (let plane = 0, at = 0; plane < slices.planes; plane++) {
            const scale = whole ? gain * slices.weights[plane] : gain;
            const base = whole ? 0 : plane * vectors;
            for (let vector = 0; vector < vectors; vector++, at++) values[base + vector] += scale * sums[at];
          }
        }
        const full = charged.length > 0;
        visit({ column, sign: full ? sign * own[0].sign : sign, values: full ? values : undefined, bounds });
      }
    }
  }
}

/** Converts charges with flash converters of one range and adds up what they give. */
function chargeConverter(
  job: LayerJob,
  { adcBits, conversion, comparatorSigma, seed }: Required<ChargeDomainSettings>,
  range: number,
) {
  const whole = conversion === 'whole-input';
  const signed = signedSums(job, whole);
  const { highest } = adcCodes({ bits: adcBits, signed });
  const step = range <= highest ? 1 : range / highest;
  const offsets = randomStream(seed, 'flash comparators');
  const { vectors, columns, slices } = job;
  const outputs = new Float64Array(vectors * columns);
  let [conversions, saturated, comparatorsFired, cutByGate] = [0, 0, 0, 0];
  const add = ({ column, sign, values, bounds }: Charges): void => {
    const flash = gatedFlash({ adcBits, step, signed, comparatorSigma }, offsets);
    if (!values) return;
    conversions += values.length;
    let [clipped, fired, cut] = [0, 0, 0];
    for (let first = 0; first < values.length; first += vectors) {
      const weight = sign * step * (whole ? 1 : slices.weights[first / vectors]);
      for (let vector = 0; vector < vectors; vector++) {
        const reading = flash(values[first + vector], bounds[first + vector]);
        fired += reading.fired;
        if (reading.clipped) clipped++;
        if (reading.cut) cut++;
        outputs[vector * columns + column] += weight * reading.code;
      }
    }
    saturated += clipped;
    comparatorsFired += fired;
    cutByGate += cut;
  };
  const finish = (): ChargeDomainResult => {
    if (job.encoding.offset !== 0) addOffset(job, outputs, job.inputs);
    const comparatorsUngated = conversions * (signed ? 2 * highest : highest);
    return { outputs, saturated, conversions, range, step, comparatorsFired, comparatorsUngated, cutByGate };
  };
  return { add, finish };
}

function checked(job: LayerJob, settings: ChargeDomainSettings): Required<ChargeDomainSettings> {
  const all = withDefaults<ChargeDomainSettings>(chargeDomainDefaults, settings);
  checkChoice('conversion', all.conversion, chargeConversions);
  const least = signedSums(job, all.conversion === 'whole-input') ? 2 : 1;
  checkWhole('adcBits', all.adcBits, least, 16);
  checkNumber('attenuatorSigma', all.attenuatorSigma, 0, 0.5);
  checkNumber('comparatorSigma', all.comparatorSigma, 0, 10);
  checkWhole('sensorRows', all.sensorRows, 1, 4096);
  return all;
}

function signedSums({ signedSums, slices }: LayerJob, whole: boolean): boolean {
  return signedSums || (whole && slices.form !== 'unsigned');
}

/** Planes whose charges meet: those of one polarity whose weights have one sign. */
interface AnalogGroup {
  /** `plus` of their readouts. */
  readonly members: ReadonlySet<number>;
  readonly sign: number;
}

function analogGroups({ readouts, encoding }: LayerJob): AnalogGroup[] {
  const groups = new Map<string, { members: Set<number>; sign: number }>();
  for (const { plus, weight } of readouts) {
    const sign = Math.sign(weight);
    const key = `${Math.floor(plus / encoding.planes)} ${sign}`;
    const group = groups.get(key) ?? { members: new Set<number>(), sign };
    group.members.add(plus);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Largest pulse, or pulse train, that one conversion sums. */
function largestInput({ slices }: LayerJob, whole: boolean): number {
  return whole ? Math.max(slices.maxCode, -slices.minCode) : slices.maxPulse;
}

/** Largest weight that one row can add to a group. */
function largestWeight(job: LayerJob): number {
  const { encoding, readouts } = job;
  let most = 0;
  for (const { members } of analogGroups(job)) {
    let sum = 0;
    for (const { plus, weight } of readouts) {
      if (members.has(plus)) sum += Math.abs(weight) * (2 ** encoding.cellBits - 1);
    }
    most = Math.max(most, sum);
  }
  return most;
}

function fullScale(job: LayerJob, asked: number | 'worst-case' | 'stored-codes', whole: boolean): number {
  const { tiles } = job;
  if (typeof asked === 'number') {
    return checkNumber('range', asked, Number.MIN_VALUE, Number.MAX_VALUE);
  }
  checkChoice('range', asked, ['worst-case', 'stored-codes']);
  const input = largestInput(job, whole);
  let most = 1;
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    const sum =
      asked === 'worst-case'
        ? (tiles[tile + 1] - tiles[tile]) * largestWeight(job)
        : largestStored(job, tile);
    most = Math.max(most, sum * input);
  }
  return most;
}

/** Largest sum of a tile's group of planes for inputs of 1: what is added, or what is subtracted. */
function largestStored(job: LayerJob, tile: number): number {
  const sums = new Map<string, { added: number; taken: number }>();
  const groups = analogGroups(job);
  let most = 0;
  for (const { column, readout, charges } of bitColumns(job, tile)) {
    const key = `${column} ${groups.findIndex(({ members }) => members.has(readout.plus))}`;
    const sum = sums.get(key) ?? { added: 0, taken: 0 };
    for (const charge of charges) {
      if (charge > 0) sum.added += charge * Math.abs(readout.weight);
      else sum.taken -= charge * Math.abs(readout.weight);
    }
    sums.set(key, sum);
    // Inputs of either sign turn what is subtracted into what is added.
    const both = job.slices.form === 'unsigned' ? Math.max(sum.added, sum.taken) : sum.added + sum.taken;
    most = Math.max(most, both);
  }
  return most;
}

/** What the sums of a tile cannot pass, from the number of active rows that is sensed; one a conversion. */
function sensedBounds(
  job: LayerJob,
  planes: PulsePlanes,
  tile: number,
  sensorRows: number,
  whole: boolean,
): Float64Array {
  const { tiles, slices, vectors } = job;
  const active = activeRows(planes, tiles[tile], tiles[tile + 1]);
  const row = largestWeight(job) * slices.maxPulse;
  const bounds = new Float64Array(whole ? vectors : planes.width);
  for (let at = 0; at < planes.width; at++) {
    const sensed = Math.ceil(active[at] / sensorRows) * sensorRows * row;
    if (whole) bounds[at % vectors] += sensed * Math.abs(slices.weights[Math.floor(at / vectors)]);
    else bounds[at] = sensed;
  }
  return bounds;
}
