import { listDatasets, dataCommand as verifyData } from '../data/data-command';
import { DATASET_NAMES, namedFolder } from '../data/open-dataset';
import { provideWeights, torchvisionWeights, weightsFolder } from '../data/torchvision-weights';
import { InputError } from '../errors';
import { toText } from '../reports/to-text';
import { type Command, textOption } from './command';

export const dataCommand: Command = {
  name: 'data',
  usage: 'NAME [--dir D] | list',
  summary:
    'Verifies a data set or published weights that are there, or downloads and verifies them; `data list` tells which\nthere are and where.',
  options: {
    dir: { value: 'D', help: 'folder to verify or to download to (default: CIM_PRUNING_DATA, then data/)' },
  },
  words: [1, 1],
  async run([name], options, { onProgress }) {
    const dir = textOption(options, 'dir');
    if (name === 'list') {
      const list = listDatasets({ dir });
      const columns = [
        { key: 'name', label: 'name' },
        { key: 'what', label: 'what' },
        { key: 'folder', label: 'folder' },
      ];
      const rows = list.map(({ name: key, what, folder }) => ({ name: key, what, folder: folder ?? '-' }));
      return { data: list, text: toText({ title: 'data sets and weights', columns, rows }) };
    }
    const published = torchvisionWeights();
    const weights = Object.hasOwn(published, name) ? published[name] : undefined;
    if (!weights && !DATASET_NAMES.some((known) => known === name))
      throw new InputError(
        `data ${name}: allowed are list, ${[...DATASET_NAMES, ...Object.keys(published)].join(', ')}`,
      );
    const report = weights
      ? await provideWeights(name, weights, namedFolder({ dir }).dir ?? weightsFolder(), { onProgress })
      : await verifyData({ name, dir, onProgress });
    return { data: report, text: report.message };
  },
};
