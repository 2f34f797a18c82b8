import { randomStream } from '../../tensor/random';
import { adcCodes } from '../adc';
import { buildConverter } from '../build-converter';
import type { LayerJob, LayerResult } from '../layer-job';
import { programCells } from '../program-cells';
import { addOffset } from '../reference-engine';
import { type BitColumn, bitColumns } from './bit-columns';
import { type MarginSettings, marginConverter, marginDevice, marginSettings } from './margin-settings';
import { columnSums, type PulsePlanes, pulsePlanes } from './pulse-planes';

export interface MarginSensingResult extends LayerResult<Float64Array> {
  /** Conversions whose code was not that of an ideal ADC of the same bits on the exact sum. */
  readonly codeErrors: number;
  /** Conversions whose ideal code was this one, from the lowest code up. [codes] */
  readonly conversionsByCode: Float64Array;
  /** Of those, the ones whose code was another. [codes] */
  readonly errorsByCode: Float64Array;
}

/**
 * Runs a layer with cells that vary, off cells that leak, and a converter of its own offset on every physical column.
 * Cells and offsets are drawn once and stay; noise is drawn at each conversion. `saturated` counts exact sums outside the
 * range. The converter of the settings takes the place of the job's.
 */
export function marginSensing(job: LayerJob, settings: MarginSettings = {}): MarginSensingResult {
  const all = marginSettings(settings, job.signedSums);
  const adc = { bits: all.adcBits, signed: job.signedSums };
  const { lowest, highest } = adcCodes(adc);
  const model = marginConverter(all);
  const { vectors, columns, tiles, slices } = job;
  const planes = pulsePlanes(job);
  const pulses = activePulses(planes, job.rows);
  const outputs = new Float64Array(vectors * columns);
  const exact = new Int32Array(planes.width);
  const currents = new Float64Array(planes.width);
  const conversionsByCode = new Float64Array(highest - lowest + 1);
  const errorsByCode = new Float64Array(highest - lowest + 1);
  let [saturated, conversions, codeErrors] = [0, 0, 0];
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    for (const bitColumn of bitColumns(job, tile)) {
      const { column, readout, sign } = bitColumn;
      const place = `tile ${tile}, column ${column}, slot ${readout.plus}`;
      const own = randomStream(all.seed, `cells of ${place}`);
      const converter = buildConverter(adc, model, randomStream(all.seed, `converter of ${place}`));
      const noise = randomStream(all.seed, `noise of ${place}`);
      columnSums(bitColumn, planes, exact);
      currents.fill(0);
      addCurrents(cellValues(job, bitColumn, all, own), tiles[tile], pulses, currents);
      conversions += planes.width;
      for (let at = 0; at < planes.width; at++) {
        const ideal = Math.min(highest, Math.max(lowest, exact[at]));
        const code = converter.code(currents[at], noise);
        conversionsByCode[ideal - lowest]++;
        if (ideal !== exact[at]) saturated++;
        if (code !== ideal) {
          codeErrors++;
          errorsByCode[ideal - lowest]++;
        }
        const weight = sign * readout.weight * slices.weights[Math.floor(at / vectors)];
        outputs[(at % vectors) * columns + column] += weight * code;
      }
    }
  }
  if (job.encoding.offset !== 0) addOffset(job, outputs);
  return { outputs, saturated, conversions, codeErrors, conversionsByCode, errorsByCode };
}

/** What each row of a tile adds to a column's current for a pulse of 1, off cells included. */
function cellValues(
  { codes, columns, encoding, tiles }: LayerJob,
  { tile, column, readout }: BitColumn,
  settings: Required<MarginSettings>,
  stream: ReturnType<typeof randomStream>,
): Float32Array {
  const slots = encoding.polarities * encoding.planes;
  const [from, to] = [tiles[tile], tiles[tile + 1]];
  const program = (slot: number) => {
    const digits = new Uint8Array(to - from);
    for (let row = from; row < to; row++) {
      digits[row - from] = encoding.digits[(codes[row * columns + column] + 128) * slots + slot];
    }
    return programCells(digits, marginDevice(settings), stream, 2 ** encoding.cellBits - 1);
  };
  const values = program(readout.plus);
  if (readout.minus >= 0) {
    const taken = program(readout.minus);
    for (let i = 0; i < values.length; i++) values[i] -= taken[i];
  }
  return values;
}

/** Pulses that are not zero, by row: off cells make columns dense, but inputs are sparse. */
interface ActivePulses {
  /** [rows + 1] */
  readonly starts: Int32Array;
  /** Their (plane, vector). */
  readonly at: Int32Array;
  readonly pulses: Int16Array;
}

function activePulses({ width, pulses }: PulsePlanes, rows: number): ActivePulses {
  const starts = new Int32Array(rows + 1);
  for (let row = 0; row < rows; row++) {
    starts[row + 1] = starts[row];
    for (let at = 0; at < width; at++) if (pulses[row * width + at] !== 0) starts[row + 1]++;
  }
  const active = { starts, at: new Int32Array(starts[rows]), pulses: new Int16Array(starts[rows]) };
  let next = 0;
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < width; at++) {
      const pulse = pulses[row * width + at];
      if (pulse === 0) continue;
      active.at[next] = at;
      active.pulses[next++] = pulse;
    }
  }
  return active;
}

function addCurrents(
  values: Float32Array,
  from: number,
  { starts, at, pulses }: ActivePulses,
  currents: Float64Array,
): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (value === 0) continue;
    for (let i = starts[from + row]; i < starts[from + row + 1]; i++) currents[at[i]] += value * pulses[i];
  }
}
