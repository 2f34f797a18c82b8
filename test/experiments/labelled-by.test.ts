import { expect, it } from 'vitest';
import { generatedPictures } from '../../src/data/generated-pictures';
import { floatAccuracy } from '../../src/experiments/accuracy';
import { labelledBy } from '../../src/experiments/labelled-by';
import { openFloatModel } from '../../src/experiments/open-model';
import { requireFit } from '../../src/experiments/require-fit';

it('labelledBy puts the classes that a network tells in place of labels, whatever the classes of the pictures', async () => {
  const model = openFloatModel('tiny-generated');
  const dataset = { ...generatedPictures({ train: 8, test: 300 }), classes: ['a', 'b'] };
  expect(() => requireFit(model.description, dataset)).toThrow();
  const labelled = await labelledBy(model, dataset);
  requireFit(model.description, labelled);
  expect(floatAccuracy(model, labelled, labelled.test).top1).toBe(100);
  expect(labelled.test.labels).not.toEqual(dataset.test.labels);
  expect(labelled.test.pixels).toBe(dataset.test.pixels);
  expect(labelled.title).toMatch(/, labelled by tiny-generated$/);
  // A training state of the one must not go on with the other.
  expect(Object.keys(labelled.checksums)).toContain('tiny-generated (labels)');
});
