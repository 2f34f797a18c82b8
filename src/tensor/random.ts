/** A named stream of pseudo-random numbers. The same seed and name give the same numbers on every machine. */
export interface RandomStream {
  /** Next unsigned 32-bit integer. */
  uint32(): number;
  /** Uniform in [0, 1) with 32 random bits. */
  uniform(): number;
  /** Uniform integer in 0..n-1; `n` from 1 to 2^32. */
  integer(n: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** The integers 0..n-1 in random order (Fisher-Yates). */
  permutation(n: number): Int32Array;
}

/** 32-bit FNV-1a over the characters of `text`, continued from `hash`. */
function fnv1a(text: string, hash = 0x811c9dc5): number {
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** SplitMix32 finaliser (Steele, Lea, Flood 2014): spreads one word's bits over the state. */
function splitmix32(state: number): number {
  let z = state;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/**
 * Opens the stream `name` of the root `seed` (an integer): xoshiro128** (Blackman and Vigna 2018), its state filled by
 * SplitMix32 from a 32-bit hash of both. What is drawn from one stream never shifts another; but there are 2^32 streams in
 * all, so of k pairs of seed and name some two are the same stream with a chance of about k^2 / 2^33. The state, four words,
 * lies in `state`, where compiled loops can draw from the same stream.
 */
export function randomStream(
  seed: number,
  name: string,
  state: Int32Array = new Int32Array(4),
): RandomStream {
  // A digit at the front of the name would read as one of the seed's.
  const apart = /^\d/.test(name) ? `/${name}` : name;
  let fill = fnv1a(apart, fnv1a(String(seed)));
  const next = () => {
    fill = (fill + 0x9e3779b9) >>> 0;
    return splitmix32(fill);
  };
  for (let i = 0; i < 4; i++) state[i] = next();
  let spare: number | undefined;

  const uint32 = () => {
    const a = state[0];
    const b = state[1];
    const c = state[2] ^ a;
    const d = state[3] ^ b;
    const product = Math.imul(b, 5);
    state[0] = a ^ d;
    state[1] = b ^ c;
    state[2] = c ^ (b << 9);
    state[3] = (d << 11) | (d >>> 21);
    return Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
  };
  const uniform = () => uint32() / 4294967296;
  const integer = (n: number) => Math.floor(uniform() * n);
  const normal = () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const permutation = (n: number) => {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = integer(i + 1);
      const swap = order[i];
      order[i] = order[j];
      order[j] = swap;
    }
    return order;
  };
  return { uint32, uniform, integer, normal, permutation };
}
