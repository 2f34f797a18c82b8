import type { LayerInput } from './layer-job';

/** Checksums that independent simulators agree on, by scheme: all outputs added up, and 32-bit FNV-1a of their bytes. */
export const speedChecksums = {
  'sign-split': { sum: 1706132811, fnv1a: '9bf95b3f' },
  offset: { sum: -1978585198810, fnv1a: '8e4c2d72' },
} as const;

/**
 * The layer that simulators are timed on: K = 1152 rows in 9 tiles of 128, 128 columns, 1024 vectors, 8-bit weights
 * (20 % nonzero) and inputs, 1-bit cells and DACs, a 3-bit ADC. Numbers from s <- s * 1664525 + 1013904223 mod 2^32.
 */
export function speedWorkload(encoding: keyof typeof speedChecksums = 'sign-split'): LayerInput {
  const rows = 1152;
  const columns = 128;
  const vectors = 1024;
  const drawInput = congruential(1);
  const inputs = Uint8Array.from({ length: vectors * rows }, () => drawInput() >>> 24);
  const drawWeight = congruential(2);
  const codes = Int8Array.from({ length: rows * columns }, () => {
    const s = drawWeight();
    const magnitude = (s >>> 24) & 127;
    if (((s >>> 15) & 255) >= 51) return 0;
    return (s >>> 23) & 1 ? -magnitude : magnitude;
  });
  return {
    codes,
    rows,
    columns,
    inputs,
    vectors,
    tileRows: 128,
    weightBits: 8,
    inputBits: 8,
    encoding,
    adc: { bits: 3 },
  };
}

function congruential(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
}

/** Sum, and 32-bit FNV-1a over the little-endian bytes as eight hexadecimal digits. */
export function checksum(outputs: Int32Array | Float64Array): { sum: number; fnv1a: string } {
  let sum = 0;
  let hash = 0x811c9dc5;
  for (const value of outputs) {
    sum += value;
    for (let shift = 0; shift < 32; shift += 8) {
      hash = Math.imul(hash ^ ((value >>> shift) & 255), 0x01000193);
    }
  }
  return { sum, fnv1a: (hash >>> 0).toString(16).padStart(8, '0') };
}
