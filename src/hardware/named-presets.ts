import { InputError } from '../errors';
import presetList from './constants/presets.json';
import { type HardwarePreset, hardwarePreset } from './hardware-preset';

/** Published designs as presets, of the same form as a user's; what they do not change is ISAAC's. */
const presets: ReadonlyMap<string, HardwarePreset> = new Map(
  Object.entries(presetList).map(([name, json]) => [name, hardwarePreset(json, `preset ${name}`)]),
);

export const hardwarePresetNames: readonly string[] = [...presets.keys()];

/** @throws InputError naming those there are */
export function namedHardwarePreset(name: string): HardwarePreset {
  const preset = presets.get(name);
  if (preset) return preset;
  throw new InputError(`preset: "${name}" is unknown; one of ${hardwarePresetNames.join(', ')} is needed`);
}
