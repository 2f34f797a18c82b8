import type { NetworkDescription } from '../networks/description';
import { lastUses } from '../networks/last-uses';
import type { NodeShape } from '../networks/node-shapes';

export interface FlowMemory {
  /** Height, width and channels of every node's output, and of `input`. */
  readonly shapes: ReadonlyMap<string, NodeShape>;
  /** Bytes of a number that both networks together keep of a node's output. */
  readonly bytesOf: (name: string) => number;
  /** Pictures there are. */
  readonly pictures: number;
  /** What activations may take between two layers. */
  readonly bytes: number;
}

/** Bytes that both networks hold of a picture's activations before each node, by its index. */
export function liveBytes(
  description: NetworkDescription,
  { shapes, bytesOf }: Pick<FlowMemory, 'shapes' | 'bytesOf'>,
): number[] {
  const { nodes } = description;
  const last = lastUses(description);
  const indices = new Map([['input', -1], ...nodes.map(({ name }, i) => [name, i] as const)]);
  const sizeOf = (name: string) => shapes.get(name)!.reduce((product, side) => product * side, 1);
  return nodes.map((_, at) => {
    let live = 0;
    for (const [name, index] of indices)
      if (index < at && last.get(name)! >= at) live += bytesOf(name) * sizeOf(name);
    return live;
  });
}

/**
 * How many calibration pictures both networks can hold before each node, by its index: wide early activations leave room
 * for fewer, and have more patches a picture; small late ones for all. The numbers never fall, and are at least 1.
 */
export function picturesBefore(
  description: NetworkDescription,
  { shapes, bytesOf, pictures, bytes }: FlowMemory,
): number[] {
  const room = liveBytes(description, { shapes, bytesOf }).map((live) =>
    Math.max(1, Math.min(pictures, Math.floor(bytes / Math.max(live, 1)))),
  );
  for (let at = room.length - 2; at >= 0; at--) room[at] = Math.min(room[at], room[at + 1]);
  return room;
}
