import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { keptBinding } from './binding.mjs';
import { Unavailable } from './errors.mjs';
import { hashOf, readJson, writeWhole } from './files.mjs';
import { tellingLine } from './run.mjs';

/** In a process of its own, as a broken library ends it. Node 23 removed what tfjs-node calls of util. */
const PROGRAM = `
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value == null;
util.isArray ??= Array.isArray;
const tf = require('@tensorflow/tfjs-node');
const product = tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).arraySync();
if (tf.getBackend() !== 'tensorflow' || product[1][1] !== 3) throw new Error('the engine computes wrongly');
console.log('version', tf.version['tfjs-core']);
`;

/** @param {import('./context.mjs').Context} context */
async function fingerprint(context) {
  const kept = keptBinding(context);
  const found = kept && (await stat(kept).catch(() => null));
  return found ? hashOf(String(kept), String(found.mtimeMs), process.version) : null;
}

/** @param {import('./context.mjs').Context} context */
const stampPath = ({ home }) => join(home, `engine-${process.version}.json`);

/** @type {import('./context.mjs').Step} */
export const engineCheck = {
  name: 'Engine',
  megabytes: 1,
  without: 'networks run on WebAssembly or plain JavaScript; training needs the native engine',
  async ready(context) {
    const now = await fingerprint(context);
    return now !== null && readJson(stampPath(context))?.fingerprint === now ? 'native TensorFlow' : null;
  },
  what: () => 'multiplying two matrices',
  async work(context) {
    const now = await fingerprint(context);
    if (now === null) throw new Unavailable('there is no native TensorFlow');
    const env = { ...context.env, TF_CPP_MIN_LOG_LEVEL: '2' };
    const { status, output } = await context.run('engine', process.execPath, ['-e', PROGRAM], { env });
    if (status !== 0)
      throw new Unavailable(
        `native TensorFlow does not load: ${tellingLine(output)} (all of it: .setup/log/engine.log)`,
      );
    await writeWhole(stampPath(context), JSON.stringify({ fingerprint: now }));
    return `native TensorFlow works on Node ${process.version}`;
  },
};
