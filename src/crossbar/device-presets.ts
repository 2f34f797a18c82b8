import { InputError } from '../errors';
import presetList from './device-constants.json';
import { checkDevice, type DeviceModel } from './device-model';

/** One setting of a preset and where it comes from. */
export interface DeviceConstant {
  /** Path in DeviceModel: `programming.sigma`. */
  readonly field: string;
  readonly value: number | string | boolean | readonly number[];
  /** `1` for a pure number; empty for a choice. */
  readonly unit: string;
  readonly source: string;
  /** Read in a publication or its authors' code; computed from such; or chosen by us. */
  readonly status: 'published' | 'derived' | 'assumed';
}

export interface DevicePreset {
  readonly name: string;
  /** One sentence: what it is, and what is left out. */
  readonly description: string;
  readonly constants: readonly DeviceConstant[];
}

/** Memory cells of published work, every number with its source. */
export const devicePresets: readonly DevicePreset[] = presetList as DevicePreset[];

export const devicePresetNames: readonly string[] = devicePresets.map(({ name }) => name);

/** The memory cell of a preset. Spread it to change a field: `{ ...devicePreset('pcm'), offState: 'reference-column' }`. */
export function devicePreset(name: string): DeviceModel {
  const preset = devicePresets.find((candidate) => candidate.name === name);
  if (!preset) {
    throw new InputError(`device: "${name}" is unknown; one of ${devicePresetNames.join(', ')} is needed`);
  }
  const device: Record<string, unknown> = {};
  for (const { field, value } of preset.constants) {
    const [outer, inner] = field.split('.');
    if (inner === undefined) device[outer] = value;
    else device[outer] = { ...(device[outer] as object | undefined), [inner]: value };
  }
  checkDevice(device as DeviceModel);
  return device as DeviceModel;
}
