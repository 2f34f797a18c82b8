import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TestPictures } from '../data/test-pictures';
import type { Inference } from '../networks/inference';
import { replaceFile } from '../networks/replace-file';
import type { OnProgress } from '../progress';
import { type Accuracy, batchFor, createTally } from '../training/evaluate';

/** A network's logits on all pictures of a pass. */
export interface PictureScores {
  /** [pictures, classes] */
  readonly logits: Float32Array;
  readonly labels: Int32Array;
}

/** Runs the first `total` pictures through a network; frees the inference. */
export async function scorePictures(
  inference: Inference,
  pictures: TestPictures,
  total: number,
  onProgress?: OnProgress,
): Promise<PictureScores> {
  const classes = pictures.classes.length;
  const logits = new Float32Array(total * classes);
  const labels = new Int32Array(total);
  let done = 0;
  try {
    for await (const batch of pictures.batches(batchFor(pictures.test), total)) {
      logits.set(inference.logits(batch), done * classes);
      labels.set(batch.labels, done);
      done += batch.count;
      onProgress?.({ done, total, note: 'scoring' });
    }
  } finally {
    inference.dispose();
  }
  // Pictures that cannot be decoded are left out.
  return { logits: logits.subarray(0, done * classes), labels: labels.subarray(0, done) };
}

export function accuracyOf({ logits, labels }: PictureScores): Accuracy {
  const tally = createTally(logits.length / labels.length);
  tally.add(logits, labels);
  return tally.accuracy();
}

/** Scores kept in a file under a key (64 hexadecimal digits); computed where it holds none of that key. */
export async function keptScores(
  path: string,
  key: string,
  compute: () => Promise<PictureScores>,
): Promise<PictureScores> {
  const kept = existsSync(path) ? readScores(path, key) : undefined;
  if (kept) return kept;
  const scores = await compute();
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, [scoreBytes(scores, key)]);
  return scores;
}

const KEY_BYTES = 64;

/** The key, the number of pictures (uint32), labels (int32), logits (float32). */
function scoreBytes({ logits, labels }: PictureScores, key: string): Buffer {
  const bytesOf = (array: Float32Array | Int32Array) =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  const count = Uint32Array.of(labels.length);
  return Buffer.concat([
    Buffer.from(key, 'latin1'),
    Buffer.from(count.buffer),
    bytesOf(labels),
    bytesOf(logits),
  ]);
}

function readScores(path: string, key: string): PictureScores | undefined {
  const bytes = readFileSync(path);
  if (bytes.toString('latin1', 0, KEY_BYTES) !== key) return undefined;
  const count = bytes.readUInt32LE(KEY_BYTES);
  const body = bytes.buffer.slice(bytes.byteOffset + KEY_BYTES + 4, bytes.byteOffset + bytes.length);
  return { labels: new Int32Array(body, 0, count), logits: new Float32Array(body, 4 * count) };
}
