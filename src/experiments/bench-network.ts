import type { Adc } from '../crossbar/adc';
import { createCrossbarInference } from '../crossbar/crossbar-inference';
import { generatedPictures } from '../data/generated-pictures';
import { firstPictures } from '../networks/first-pictures';
import type { Inference, Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { buildIntegerNetwork } from '../quantization/build-integer-network';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerNetwork } from '../quantization/integer-network';
import { threadCount } from '../tensor/parallel';
import { openModel } from './open-model';

export interface NetworkBench {
  /** Pictures a second through the crossbars, median of the repeats. */
  readonly picturesPerSecond: number;
  /** The same network as integers on the tensor engine alone. */
  readonly enginePicturesPerSecond: number;
  readonly threads: number;
  readonly pictures: number;
  readonly repeats: number;
}

/**
 * Times a whole network on bit-serial crossbars. First every conversion is made without loss, and the logits must be the
 * tensor engine's to the bit: a fast wrong answer is no measurement.
 */
export function benchNetwork(
  network: IntegerNetwork,
  pictures: Pictures,
  { tileRows, adc, repeats = 5 }: { readonly tileRows: number; readonly adc: Adc; readonly repeats?: number },
  onProgress?: OnProgress,
): NetworkBench {
  const few = firstPictures(pictures, 2);
  const [exact] = timed(createIntegerInference(network), few, 1);
  const lossless = createCrossbarInference(network, { tileRows, adc: () => 'lossless', dispatch: false });
  const [converted] = timed(lossless, few, 1);
  if (exact.some((logit, i) => logit !== converted[i]))
    throw new Error('network bench: lossless crossbars do not give the logits of the integer network');
  onProgress?.({ done: 1, total: 3, note: 'lossless crossbars agree' });
  const [, engineTime] = timed(createIntegerInference(network), pictures, repeats);
  onProgress?.({ done: 2, total: 3, note: 'tensor engine' });
  const [, time] = timed(createCrossbarInference(network, { tileRows, adc: () => adc }), pictures, repeats);
  onProgress?.({ done: 3, total: 3, note: 'crossbars' });
  return {
    picturesPerSecond: (1000 * pictures.count) / time,
    enginePicturesPerSecond: (1000 * pictures.count) / engineTime,
    threads: threadCount(),
    pictures: pictures.count,
    repeats,
  };
}

/** A model as integers (a float one calibrated on the pictures), and generated pictures of the size it takes. */
export function benchNetworkCase(
  model: string,
  count: number,
): { readonly network: IntegerNetwork; readonly pictures: Pictures } {
  const opened = openModel(model);
  const description = opened.kind === 'integer' ? opened.network.description : opened.description;
  const { height, width, channels } = description.input;
  const { pixels } = generatedPictures({ train: count, test: 1, size: height }).train;
  const pictures = { pixels, count, height, width, channels };
  if (opened.kind === 'integer') return { network: opened.network, pictures };
  const { folded, mean = [0.5, 0.5, 0.5], std = [0.25, 0.25, 0.25] } = opened;
  const bits = { weightBits: 8, inputBits: 8 };
  const calibration = firstPictures(pictures, Math.min(count, 16));
  const network = buildIntegerNetwork(
    folded.description,
    folded.parameters,
    { mean, std },
    calibration,
    bits,
  );
  return { network, pictures };
}

/** Logits, and the median time of a run in milliseconds after one to warm up. */
function timed(
  inference: Inference,
  pictures: Pictures,
  repeats: number,
): [logits: Float32Array, time: number] {
  try {
    let logits = inference.logits(pictures);
    const times: number[] = [];
    for (let run = 0; run < repeats; run++) {
      const start = performance.now();
      logits = inference.logits(pictures);
      times.push(performance.now() - start);
    }
    return [logits, times.sort((a, b) => a - b)[repeats >> 1]];
  } finally {
    inference.dispose();
  }
}
