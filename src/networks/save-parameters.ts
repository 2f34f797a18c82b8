import type { NetworkDescription, Parameters } from './description';
import { parameterShapes } from './parameter-shapes';
import { requireFinite } from './require-finite';
import { requireParameters } from './require-parameters';
import { writeSafetensors } from './write-safetensors';

/**
 * Writes the parameters of `description` as float32 (or float16, half the size and 3 digits) to the safetensors file
 * `path`, in network order, whole or not at all. `__metadata__` gets `format: pt`, `network`, `classes`, and what `metadata` adds. Throws InputError where a
 * parameter is missing or not finite, or the file cannot be written.
 */
export function saveParameters(
  path: string,
  description: NetworkDescription,
  parameters: Parameters,
  metadata: Readonly<Record<string, string>> = {},
  half = false,
): void {
  requireParameters(description, parameters);
  requireFinite(path, parameters);
  const tensors = new Map(
    [...parameterShapes(description).keys()].map((name) => [name, { ...parameters.get(name)!, half }]),
  );
  const { name, classes } = description;
  writeSafetensors(path, tensors, { format: 'pt', network: name, classes: String(classes), ...metadata });
}
