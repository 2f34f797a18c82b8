import type { NetworkDescription } from './description';
import { foldedDescription } from './fold-batch-norm';
import { marksLayer } from './match-parameters';
import { networkByName, networkNames } from './network-by-name';
import { parameterShapes } from './parameter-shapes';
import type { Checkpoint } from './read-checkpoint';

function fits(checkpoint: Checkpoint, description: NetworkDescription): boolean {
  const shapes = parameterShapes(description);
  for (const [name, shape] of shapes)
    if (checkpoint.tensors.get(name)?.shape.join() !== shape.join()) return false;
  return [...checkpoint.tensors].every(([name, tensor]) => shapes.has(name) || !marksLayer(name, tensor));
}

/** The zoo's network `name` with as many classes as the file's last layer has. */
function withClassesOf(checkpoint: Checkpoint, name: string): NetworkDescription {
  const usual = networkByName(name);
  const head = usual.nodes[usual.nodes.length - 1].name;
  const classes = checkpoint.tensors.get(`${head}.weight`)?.shape[0] ?? usual.classes;
  return classes >= 2 ? networkByName(name, { classes }) : usual;
}

/**
 * The network that a weight file holds: of the zoo's (as they are, or with batch norm folded) the one whose parameters
 * have all the file's names and shapes; the name in the metadata, if any, is tried first. Undefined where none fits.
 */
export function recogniseNetwork(checkpoint: Checkpoint): NetworkDescription | undefined {
  const stated = checkpoint.metadata.network;
  const names = networkNames.includes(stated) ? [stated, ...networkNames] : networkNames;
  for (const name of names) {
    const description = withClassesOf(checkpoint, name);
    const found = [description, foldedDescription(description)].find((candidate) =>
      fits(checkpoint, candidate),
    );
    if (found) return found;
  }
  return undefined;
}
