import { InputError } from '../errors';
import { type AdcModelName, adcConstants, adcModelNames } from './adc-model';
import { type Constant, type ConstantTable, withConstants } from './constant-table';
import { tileConstants } from './isaac-tile';
import { isOnPaperAlone } from './paper-constants';
import { scaleConstants } from './technology-scaling';

/** The tables of constants of a hardware model. */
export interface HardwareConstants {
  readonly adc: ConstantTable;
  readonly tile: ConstantTable;
}

/** A user's or a published hardware: what differs from the defaults. */
export interface HardwarePreset extends HardwareConstants {
  readonly description?: string;
  readonly adcModel?: AdcModelName;
}

const FIELDS = ['description', 'adcModel', 'node', 'constants'] as const;

/**
 * A preset as read from JSON: a list of constants, or `{ "description": TEXT, "adcModel": NAME, "node": nm,
 * "constants": [...] }`, each of them optional. A constant needs `name`, `value` and `unit`; node, source and status are those of the default, the preset's name and `assumed`
 * unless given. Constants that move no cost are refused. The defaults are scaled to `node` first, so that a preset's own numbers are taken as they are.
 * @throws InputError in one line naming the preset, the constant and what is allowed
 */
export function hardwarePreset(json: unknown, where = 'preset'): HardwarePreset {
  if (json === null || typeof json !== 'object')
    throw new InputError(`${where}: a list of constants or an object with ${FIELDS.join(', ')} is needed`);
  const preset: { readonly [field in (typeof FIELDS)[number]]?: unknown } = Array.isArray(json)
    ? { constants: json }
    : json;
  for (const field of Object.keys(preset)) {
    if (!(FIELDS as readonly string[]).includes(field))
      throw new InputError(`${where}: field "${field}" is unknown; allowed are ${FIELDS.join(', ')}`);
  }
  const { description, adcModel, node, constants = [] } = preset;
  if (description !== undefined && typeof description !== 'string')
    throw new InputError(`${where}.description: ${description}; a text is needed`);
  if (adcModel !== undefined && !(adcModelNames as readonly unknown[]).includes(adcModel))
    throw new InputError(`${where}.adcModel: "${adcModel}"; allowed are ${adcModelNames.join(', ')}`);
  if (node !== undefined && typeof node !== 'number')
    throw new InputError(`${where}.node: ${node}; a number of nanometres is needed`);
  if (!Array.isArray(constants)) throw new InputError(`${where}.constants: a list is needed`);
  const defaults = constantsAt(node);
  const changes = constants.map((entry, i) => completed(entry, defaults, `${where}[${i}]`, where));
  const tableOf = (table: ConstantTable, own: readonly Constant[]) => withConstants(table, own, where);
  return {
    ...(description !== undefined && { description }),
    ...(adcModel !== undefined && { adcModel: adcModel as AdcModelName }),
    adc: tableOf(
      defaults.adc,
      changes.filter(({ name }) => defaults.adc.has(name)),
    ),
    tile: tableOf(
      defaults.tile,
      changes.filter(({ name }) => !defaults.adc.has(name)),
    ),
  };
}

/** The default constants, scaled to a technology node if one is given. */
export function constantsAt(nodeNm?: number): HardwareConstants {
  if (nodeNm === undefined) return { adc: adcConstants, tile: tileConstants };
  return { adc: scaleConstants(adcConstants, nodeNm), tile: scaleConstants(tileConstants, nodeNm) };
}

function completed(entry: unknown, { adc, tile }: HardwareConstants, at: string, where: string): Constant {
  const given = entry as Partial<Constant> | null;
  if (typeof given?.name !== 'string') throw new InputError(`${at}.name: missing`);
  const old = adc.get(given.name) ?? tile.get(given.name);
  if (!old) throw new InputError(`${where}: ${given.name} is no constant of the model`);
  if (isOnPaperAlone(given.name))
    throw new InputError(
      `${where}: ${given.name} moves no cost, only sums of published numbers; leave it out`,
    );
  return { node: old.node, source: where, status: 'assumed', ...given } as Constant;
}
