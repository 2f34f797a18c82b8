import { randomStream } from '../tensor/random';
import type { AdcSettings } from './adc';
import { type CircuitSettings, checkCircuit } from './analog-settings';
import { buildConverter, type Converter } from './build-converter';
import type { ConverterModel } from './converter-model';
import type { DeviceModel } from './device-model';
import { wiredCells } from './ir-drop';
import { adcKinds } from './layer-adcs';
import type { LayerJob } from './layer-job';
import { offValue, programCells, readVariances } from './program-cells';

/** The cells and converters of one row tile, as made. */
export interface ProgrammedArray {
  /** Converted columns in use (they hold a digit that is not 0), ascending: channel * readouts + readout. */
  readonly columns: Int32Array;
  /** What each row adds to a column's sum for a pulse of 1, in units of one cell level. [columns in use][rows] */
  readonly values: Float32Array;
  /** Variance of that from one read to the next; undefined: none. [columns in use][rows] */
  readonly variances: Float32Array | undefined;
  /** Taken off each converted sum digitally, times the pulses counted, in units of one cell level. [columns in use] */
  readonly digitalOffsets: Float64Array;
  /** The converter of each column in use; undefined where conversion is lossless. */
  readonly converters: readonly Converter[] | undefined;
}

/** A layer on the circuit that `settings` describe: every static error is drawn. Serves any number of inputs. */
export interface ProgrammedLayer {
  /** One a row tile. */
  readonly arrays: readonly ProgrammedArray[];
  /** The settings it was programmed with. */
  readonly settings: CircuitSettings;
}

/**
 * Writes a layer's codes to arrays of real cells and makes their converters. Random streams are named by seed, layer and array, so
 * neither inputs nor the order of work change what is drawn. The job's inputs are not looked at.
 */
export function programLayer(job: LayerJob, settings: CircuitSettings = {}): ProgrammedLayer {
  checkCircuit(job, settings);
  const makeConverters = converterMaker(job, settings);
  const arrays: ProgrammedArray[] = [];
  for (let tile = 0; tile + 1 < job.tiles.length; tile++) {
    const cells = programTile(job, settings, tile);
    arrays.push({ ...cells, converters: makeConverters(tile, cells.columns) });
  }
  return { arrays, settings };
}

function programTile(
  job: LayerJob,
  settings: CircuitSettings,
  tile: number,
): Omit<ProgrammedArray, 'converters'> {
  const { device, seed = 1, layer = 'layer' } = settings;
  const { readouts, encoding } = job;
  const rows = job.tiles[tile + 1] - job.tiles[tile];
  const maxDigit = 2 ** encoding.cellBits - 1;
  const physical = physicalColumns(job, tile);
  const off = offValue(device, maxDigit);
  const offState = device?.offState ?? 'cancelled';

  // Whole conductances: wires see those, whatever is taken off afterwards.
  const raw: DeviceModel | undefined = device && { ...device, offState: 'kept' };
  const cells = programCells(
    physical.digits,
    raw,
    randomStream(seed, `cells of ${layer}, array ${tile}`),
    maxDigit,
  );
  const noise = readVariances(cells, raw, maxDigit);
  const seen = settings.wires
    ? wiredCells(cells, rows, settings.wires, (device?.onResistance ?? 100e3) * (maxDigit + off))
    : cells;
  const reference = new Float32Array(rows).fill(offState === 'cancelled' ? off : 0);
  if (device && offState === 'reference-column') {
    const stream = randomStream(seed, `reference column of ${layer}, array ${tile}`);
    reference.set(programCells(new Uint8Array(rows), raw, stream, maxDigit));
  }
  const referenceNoise =
    offState === 'reference-column' ? readVariances(reference, raw, maxDigit) : undefined;

  const columns = physical.columns;
  const values = new Float32Array(columns.length * rows);
  const variances = noise && new Float32Array(columns.length * rows);
  const digitalOffsets = new Float64Array(columns.length);
  for (let i = 0; i < columns.length; i++) {
    const difference = readouts[columns[i] % readouts.length].minus >= 0;
    const plus = physical.starts[2 * i];
    const minus = physical.starts[2 * i + 1];
    for (let row = 0; row < rows; row++) {
      values[i * rows + row] = seen[plus + row] - (difference ? seen[minus + row] : reference[row]);
      if (!variances || !noise) continue;
      variances[i * rows + row] =
        noise[plus + row] + (difference ? noise[minus + row] : (referenceNoise?.[row] ?? 0));
    }
    if (offState === 'digital' && !difference) digitalOffsets[i] = off;
  }
  return { columns, values, variances, digitalOffsets };
}

interface PhysicalColumns {
  /** Converted columns with a digit that is not 0. */
  readonly columns: Int32Array;
  /** Digits of the columns of cells behind them, [column of cells][rows]. */
  readonly digits: Uint8Array;
  /** Where each converted column's added and subtracted cells start in `digits`; -1: nothing is subtracted. */
  readonly starts: Int32Array;
}

/**
 * The columns of cells that a tile needs. Both of a difference are built when either holds charge: an empty one still conducts
 * its off current.
 */
function physicalColumns(job: LayerJob, tile: number): PhysicalColumns {
  const { codes, encoding, readouts } = job;
  const slots = encoding.polarities * encoding.planes;
  const from = job.tiles[tile];
  const rows = job.tiles[tile + 1] - from;
  const columns: number[] = [];
  const starts: number[] = [];
  const digits = new Uint8Array(job.columns * slots * rows);
  let end = 0;
  const write = (channel: number, slot: number): boolean => {
    let filled = 0;
    for (let row = 0; row < rows; row++) {
      const digit = encoding.digits[(codes[(from + row) * job.columns + channel] + 128) * slots + slot];
      digits[end + row] = digit;
      filled |= digit;
    }
    return filled !== 0;
  };
  for (let channel = 0; channel < job.columns; channel++) {
    for (let readout = 0; readout < readouts.length; readout++) {
      const { plus, minus } = readouts[readout];
      const start = end;
      let filled = write(channel, plus);
      if (minus >= 0) {
        end += rows;
        filled = write(channel, minus) || filled;
      }
      if (!filled) {
        end = start;
        continue;
      }
      end += rows;
      columns.push(channel * readouts.length + readout);
      starts.push(start, minus < 0 ? -1 : start + rows);
    }
  }
  return { columns: Int32Array.from(columns), digits: digits.slice(0, end), starts: Int32Array.from(starts) };
}

type ConverterMaker = (tile: number, columns: Int32Array) => readonly Converter[] | undefined;

function converterMaker(job: LayerJob, settings: CircuitSettings): ConverterMaker {
  if (job.adc === 'lossless') return () => undefined;
  const { kinds, kindAt } = adcKinds(job);
  const { columnsPerAdc = 1, seed = 1, layer = 'layer' } = settings;
  const readouts = job.readouts.length;
  // An ideal ADC is a flash one without errors.
  const model: ConverterModel = settings.converter ?? { type: 'flash' };
  const alike = !isRandom(model);
  const shared = new Map<number, Converter>();
  return (tile, columns) => {
    const own = new Map<string, Converter>();
    return Array.from(columns, (column) => {
      const kind = kindAt(tile, Math.floor(column / readouts), column % readouts);
      const circuit = Math.floor(column / columnsPerAdc);
      const make = () =>
        buildConverter(
          kinds[kind] as AdcSettings,
          model,
          randomStream(seed, `ADC ${circuit} of ${layer}, array ${tile}`),
        );
      // One ADC read at several steps or resolutions is the same circuit at several references: drawn alike, in LSB.
      return alike ? once(shared, kind, make) : once(own, `${circuit}/${kind}`, make);
    });
  };
}

function once<Key>(map: Map<Key, Converter>, key: Key, make: () => Converter): Converter {
  let made = map.get(key);
  if (!made) {
    made = make();
    map.set(key, made);
  }
  return made;
}

function isRandom(model: ConverterModel): boolean {
  const { gainSigma, offsetSigma, inlSigma, dnlSigma } = model;
  const own =
    model.type === 'sar' ? model.capacitorSigma : model.type === 'flash' ? model.comparatorSigma : 0;
  return [gainSigma, offsetSigma, inlSigma, dnlSigma, own].some((sigma) => (sigma ?? 0) > 0);
}
