import { InputError } from '../../errors';
import type { ConvNode, DenseNode } from '../../networks/description';
import { groupCount } from '../../quantization/channel-groups';

/** A file for another tool: its path within the folder of the export. */
export interface ExportFile {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/** @throws InputError for a grouped convolution, which the other side has no word for */
export function requireUngrouped(node: ConvNode | DenseNode, tool: string): void {
  if (groupCount(node) !== 1)
    throw new InputError(
      `layer ${node.name}: ${groupCount(node)} channel groups; ${tool} takes ungrouped layers`,
    );
}
