import type { ConverterModel } from '../crossbar/converter-model';
import type { DeviceModel } from '../crossbar/device-model';

/** Cells and ADCs that networks are measured on. */
export interface StudiedDevice {
  readonly name: string;
  readonly title: string;
  /** Undefined: ideal. */
  readonly device?: DeviceModel;
  readonly converter?: ConverterModel;
}

/** A way in which circuits err, from hardly to more than a network stands. */
export interface ErrorKind {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly levels: readonly number[];
  /** The level of `levels` at which networks are measured at several ADC bits. */
  readonly usual: number;
  circuit(level: number): Omit<StudiedDevice, 'name'>;
}

export const errorKinds: readonly ErrorKind[] = [
  {
    name: 'varied',
    title: 'standard deviation of the cells',
    unit: '%',
    levels: [5, 10, 20],
    usual: 10,
    circuit: (level) => ({
      title: `${level} % variation`,
      device: { programming: { kind: 'proportional', sigma: level / 100 } },
    }),
  },
  {
    name: 'stuck',
    title: 'stuck cells, half of them on',
    unit: '%',
    levels: [0.1, 0.3, 1],
    usual: 1,
    circuit: (level) => ({
      title: `${level} % stuck cells`,
      device: { stuckOff: level / 200, stuckOn: level / 200 },
    }),
  },
  {
    name: 'converters',
    title: 'standard deviation of the ADCs’ offsets, and of their noise',
    unit: 'LSB',
    levels: [0.1, 0.15],
    usual: 0.1,
    circuit: (level) => ({
      title: `ADC offset and noise of ${level} LSB`,
      converter: { type: 'sar', offsetSigma: level, noise: level },
    }),
  },
];

/** A circuit of a kind at one of its levels; at the usual one it has the kind's name. */
export function deviceAt(kind: ErrorKind, level: number): StudiedDevice {
  return { name: level === kind.usual ? kind.name : `${kind.name}-${level}`, ...kind.circuit(level) };
}

/** Ideal crossbars and each kind of error at its usual level. */
export const studiedDevices: readonly StudiedDevice[] = [
  { name: 'ideal', title: 'ideal cells' },
  ...errorKinds.map((kind) => deviceAt(kind, kind.usual)),
];
