import type { TestPictures } from '../data/test-pictures';
import { InputError } from '../errors';
import type { NetworkDescription } from '../networks/description';
import { nodeShapes } from '../networks/node-shapes';

/** @throws InputError where a network cannot take a data set's pictures or tells another number of classes apart */
export function requireFit(
  description: NetworkDescription,
  dataset: Pick<TestPictures, 'title' | 'classes' | 'test'>,
): void {
  const { name, classes, input } = description;
  const { height, width, channels } = dataset.test;
  if (classes !== dataset.classes.length)
    throw new InputError(
      `${name} tells ${classes} classes apart, ${dataset.title} has ${dataset.classes.length}`,
    );
  if (input.channels !== channels)
    throw new InputError(`${name} takes ${input.channels} channels, ${dataset.title} has ${channels}`);
  nodeShapes(description, { height, width });
}
