import type { SkippedPicture } from '../data/image-folder';
import { openTestPictures } from '../data/test-pictures';
import { modelInference } from '../experiments/accuracy';
import { openModel } from '../experiments/open-model';
import { requireFit } from '../experiments/require-fit';
import { describeAccount } from '../networks/describe-account';
import { batchFor, measureStream } from '../training/evaluate';
import { type Command, textOption, wholeNumber } from './command';
import { datasetOptions, namedDataset, skippedLines } from './dataset-options';

export const evaluateCommand: Command = {
  name: 'evaluate',
  usage: 'MODEL [--network NAME] [--data DIR] [--pictures N]',
  summary:
    'Accuracy on the test pictures. MODEL is a .safetensors, .pth or .th file or the name of one in data/models;\nmean and std come from the file or the .json beside it.',
  options: {
    network: { value: 'NAME', help: 'network of the zoo (default: recognised by its tensors)' },
    ...datasetOptions,
    pictures: {
      value: 'N',
      help: 'only the first N test pictures; of class folders N that are evenly spread',
    },
  },
  words: [1, 1],
  async run([name], options, { onProgress, note }) {
    const limit = wholeNumber(options, 'pictures', 1, 1e9);
    const model = openModel(name, textOption(options, 'network'));
    const skipped: SkippedPicture[] = [];
    const dataset = await openTestPictures({
      ...namedDataset(options, onProgress),
      onSkip: (picture) => skipped.push(picture),
    });
    const description = model.kind === 'float' ? model.description : model.network.description;
    requireFit(description, dataset);
    if (model.kind === 'float') for (const line of describeAccount(model.account)) note(line);
    const total = Math.min(limit ?? Infinity, dataset.test.count);
    const batchSize = batchFor(dataset.test);
    const accuracy = await measureStream(
      modelInference(model, dataset),
      description.classes,
      dataset.batches(batchSize, total),
      { total, onProgress },
    );
    for (const line of skippedLines(skipped)) note(line);
    const network = description.name;
    const { top1, top5, pictures, interval } = accuracy;
    return {
      data: {
        model: model.name,
        network,
        dataset: dataset.title,
        ...accuracy,
        skipped,
        sha256: model.sha256,
        ...(model.kind === 'integer' && model.network.pruning && { pruning: model.network.pruning }),
      },
      text: `${model.name} (${network}) on ${dataset.title}: top-1 ${top1.toFixed(2)} % (+-${interval.toFixed(2)}), top-5 ${top5.toFixed(2)} %, ${pictures} pictures`,
    };
  },
};
