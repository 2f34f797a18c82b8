import type { LayerJob } from './layer-job';

/**
 * Bit words of 32 input vectors at a time. words[((sign * storedBits) + bit) * stride + row] holds bit `bit` of row `row`
 * of the vectors, vector v of the block in bit v; sign 1 is there with sign-magnitude inputs only and holds the
 * magnitudes of negative codes. The word of row `rows` is always zero: lists of rows are padded with it.
 */
export interface InputWords {
  readonly words: Int32Array;
  readonly stride: number;
  readonly signs: number;
}

export function inputWords(job: LayerJob): InputWords {
  const signs = job.slices.form === 'sign-magnitude' ? 2 : 1;
  const stride = job.rows + 1;
  return { words: new Int32Array(signs * job.slices.storedBits * stride), stride, signs };
}

/** Fills the words with vectors first..first+count-1 (count up to 32; the rest of the lanes are zero). */
export function packInputs(job: LayerJob, into: InputWords, first: number, count: number): void {
  if (into.signs === 2) packMagnitudes(job, into, first, count);
  else packBytes(job, into, first, count);
}

/** Unsigned and two's complement codes: the bits of the byte. */
function packBytes({ inputs, rows, slices }: LayerJob, into: InputWords, first: number, count: number): void {
  const { words, stride } = into;
  const bits = slices.storedBits;
  for (let row = 0; row < rows; row++) {
    let w0 = 0;
    let w1 = 0;
    let w2 = 0;
    let w3 = 0;
    let w4 = 0;
    let w5 = 0;
    let w6 = 0;
    let w7 = 0;
    let at = first * rows + row;
    for (let lane = 0; lane < count; lane++, at += rows) {
      const code = inputs[at];
      w0 |= (code & 1) << lane;
      w1 |= ((code >> 1) & 1) << lane;
      w2 |= ((code >> 2) & 1) << lane;
      w3 |= ((code >> 3) & 1) << lane;
      w4 |= ((code >> 4) & 1) << lane;
      w5 |= ((code >> 5) & 1) << lane;
      w6 |= ((code >> 6) & 1) << lane;
      w7 |= ((code >> 7) & 1) << lane;
    }
    words[row] = w0;
    if (bits > 1) words[stride + row] = w1;
    if (bits > 2) words[2 * stride + row] = w2;
    if (bits > 3) words[3 * stride + row] = w3;
    if (bits > 4) words[4 * stride + row] = w4;
    if (bits > 5) words[5 * stride + row] = w5;
    if (bits > 6) words[6 * stride + row] = w6;
    if (bits > 7) words[7 * stride + row] = w7;
  }
}

function packMagnitudes(
  { inputs, rows, slices }: LayerJob,
  into: InputWords,
  first: number,
  count: number,
): void {
  const { words, stride } = into;
  words.fill(0);
  for (let lane = 0; lane < count; lane++) {
    for (let row = 0; row < rows; row++) {
      const code = inputs[(first + lane) * rows + row];
      const sign = code < 0 ? slices.storedBits : 0;
      const magnitude = Math.abs(code);
      for (let bit = 0; magnitude >> bit !== 0; bit++) {
        if ((magnitude >> bit) & 1) words[(sign + bit) * stride + row] |= 1 << lane;
      }
    }
  }
}
