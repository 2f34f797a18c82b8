import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { cachedResult } from '../../src/experiments/cached-result';
import * as notebooks from '../../src/experiments/execute-notebook';
import { type FinishedStudy, publishStudy } from '../../src/experiments/publish-study';
import { groupedBars } from '../../src/reports/bar-figures';
import { scratchFolder } from '../networks/scratch-folder';

const scratch = scratchFolder();
const executed = vi.spyOn(notebooks, 'executeNotebook').mockResolvedValue();
beforeEach(() => executed.mockClear());

const table = { title: 'numbers', columns: [{ key: 'n', label: 'n' }], rows: [{ n: 1 }] };
const figure = groupedBars({
  title: 'bars',
  x: { title: 'x' },
  y: { title: 'y' },
  categories: ['a'],
  series: [{ name: 'one', values: [1] }],
});

/** Publishes a study of a network and returns the names of the files without their endings. */
async function published(name: string, change: Partial<FinishedStudy>) {
  const [figures, folder] = [scratch(`${name}-figures`), scratch(name)];
  const study: FinishedStudy = {
    parameters: { experiment: 'budgets' },
    settings: {},
    seed: 1,
    dataChecksums: {},
    startedAt: new Date(),
    tables: new Map([['02-budgets', table]]),
    figures: new Map([['02-budgets-pareto', figure]]),
    claims: [{ id: 'one', claim: 'there is one', expected: 1 }],
    obtained: { one: 1 },
    folder,
    ...change,
  };
  const { verdict } = await publishStudy(study, { figures, notebook: 'budgets.ipynb' });
  expect(verdict.passed).toBe(true);
  const own = readdirSync(figures).filter((file) => /^\d/.test(file));
  const names = new Set(own.map((file) => file.replace(/\..*$/, '')));
  return { names: [...names].sort(), figures, folder };
}

describe('publishStudy', () => {
  it('keeps the names of the default network’s files and executes the notebook on its results', async () => {
    const { names, folder } = await published('default', { model: 'resnet20-cifar10' });
    expect(names).toEqual(['02-budgets', '02-budgets-pareto']);
    expect(executed).toHaveBeenCalledWith('budgets.ipynb', join(folder, 'results.json'), expect.anything());
  });

  it('names files by another network, and leaves the notebook alone', async () => {
    const { names } = await published('mine', { model: 'mine' });
    expect(names).toEqual(['02-budgets-mine', '02-budgets-mine-pareto']);
    expect(executed).not.toHaveBeenCalled();
  });

  it('takes the default network of generated pictures for these, and names files by the pictures too', async () => {
    const generated = await published('tiny', { model: 'tiny-generated', realData: false });
    expect(generated.names).toEqual(['02-generated-budgets', '02-generated-budgets-pareto']);
    expect(executed).toHaveBeenCalled();
    const other = await published('other', { model: 'resnet20-cifar10', realData: false });
    expect(other.names).toEqual([
      '02-generated-budgets-resnet20-cifar10',
      '02-generated-budgets-resnet20-cifar10-pareto',
    ]);
  });

  it('tells in the provenance which commit computed the kept results, and how long that took', async () => {
    mkdirSync(scratch('kept'));
    const none = await published('nothing-kept', {});
    const provenanceIn = (figures: string) =>
      JSON.parse(readFileSync(join(figures, '02-budgets.provenance.json'), 'utf8'));
    expect(provenanceIn(none.figures)).not.toHaveProperty('results');
    cachedResult(scratch('kept'), 'one', 1, () => 1);
    const { git, results } = provenanceIn((await published('kept', {})).figures);
    expect(results).toEqual({
      commits: [expect.any(String)],
      engines: [expect.stringMatching(/ \d+\.\d+/)],
      seconds: expect.any(Number),
      untold: 0,
    });
    expect(results.commits[0].replace('-dirty', '')).toBe(git.commit);
  });

  it('executes the notebook of a study without a default network', async () => {
    await published('all', {});
    expect(executed).toHaveBeenCalledTimes(1);
  });
});
