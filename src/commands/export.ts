import { dirname, join } from 'node:path';
import { InputError } from '../errors';
import { calibrationPictures } from '../experiments/calibration';
import { exportFormats, exportNetwork } from '../experiments/export-network';
import { requireFit } from '../experiments/require-fit';
import { firstPictures } from '../networks/first-pictures';
import type { Pictures } from '../networks/inference';
import { makeFolder } from '../networks/make-folder';
import { replaceFile } from '../networks/replace-file';
import type { IntegerNetwork } from '../quantization/integer-network';
import { type Command, type CommandContext, type Options, oneOf, textOption } from './command';
import { datasetOptions, namedDataset, openNamed } from './dataset-options';
import { openCertified } from './open-certified';
import { refuseOptions } from './refuse-options';

export const exportCommand: Command = {
  name: 'export',
  usage: 'OUT.safetensors --to FORMAT -o FOLDER [--data DIR]',
  summary:
    'A pruned network for other tools: onnx (int8 codes, quantised activations), neurosim (network, weight and input CSVs\nand the command), timeloop (problems for Timeloop and CiMLoop, Accelergy energy and area tables), crosssim (NumPy\nweights, core and ADC parameters). The pruned file itself is safetensors with integer codes.',
  options: {
    to: { value: 'FORMAT', help: exportFormats.join(', ') },
    output: { value: 'FOLDER', help: 'where the files go; made if it is not there' },
    ...datasetOptions,
    data: {
      value: 'DIR',
      help: 'neurosim: data set of the picture that is traced (default: CIM_PRUNING_DATA, data/)',
    },
  },
  words: [1, 1],
  async run([path], options, context) {
    const format = oneOf('to', exportFormats, textOption(options, 'to') ?? '(missing)');
    const folder = textOption(options, 'output');
    if (!folder) throw new InputError('export: -o FOLDER is needed');
    if (format !== 'neurosim')
      refuseOptions(options, Object.keys(datasetOptions), 'only --to neurosim takes a picture');
    const { name, network } = openCertified(path);
    const picture = format === 'neurosim' ? await firstPicture(network, options, context) : undefined;
    const files = exportNetwork(network, format, { name, picture });
    for (const file of files) save(join(folder, file.path), file.content);
    return {
      data: { format, folder, files: files.map((file) => file.path) },
      text: `${files.length} files for ${format} in ${folder}`,
    };
  },
};

function save(path: string, content: string | Uint8Array): void {
  makeFolder(dirname(path));
  replaceFile(path, [typeof content === 'string' ? Buffer.from(content) : content]);
}

/** One training picture. */
async function firstPicture(
  network: IntegerNetwork,
  options: Options,
  { onProgress, note }: CommandContext,
): Promise<Pictures> {
  const dataset = await openNamed(namedDataset(options, onProgress), note);
  requireFit(network.description, dataset);
  return firstPictures(calibrationPictures(dataset.train, 16, 1), 1);
}
