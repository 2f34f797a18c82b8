import { type RandomStream, randomStream } from '../tensor/random';

const layers = 128;
const tail = 3.442619855899;
const area = 9.91256303526217e-3;

/** Right edges of the layers, the lowest first. [layers + 1] */
export const edges = new Float64Array(layers + 1);
edges[0] = area / density(tail);
edges[1] = tail;
for (let i = 2; i < layers; i++) {
  edges[i] = Math.sqrt(-2 * Math.log(area / edges[i - 1] + density(edges[i - 1])));
}

/** How much of each layer lies under the curve for certain. [layers] */
export const inner = Float64Array.from({ length: layers }, (_, i) => edges[i + 1] / edges[i]);

function density(x: number): number {
  return Math.exp(-0.5 * x * x);
}

/**
 * The stream `name` of the root `seed` with a faster `normal`: the ziggurat of Marsaglia and Tsang in Doornik's form (2005),
 * exactly normal, one 32-bit word a draw nearly always. For noise of which a picture takes tens of millions: the compiled
 * kernel draws from the same `state` (addNoise in kernel/analog.assemblyscript), all but the rare draws of more words.
 */
export function noiseStream(seed: number, name: string, state?: Int32Array): RandomStream {
  const stream = randomStream(seed, name, state);
  const { uint32, uniform } = stream;
  const normal = (): number => {
    for (;;) {
      const word = uint32();
      const layer = word & (layers - 1);
      // The other 25 bits, evenly over -1..1 and never 0.
      const along = ((word >> 7) + 0.5) / 16777216;
      const x = along * edges[layer];
      if (Math.abs(along) < inner[layer]) return x;
      if (layer === 0) return along < 0 ? -beyond() : beyond();
      const low = Math.exp(-0.5 * (edges[layer] ** 2 - x * x));
      const high = Math.exp(-0.5 * (edges[layer + 1] ** 2 - x * x));
      if (high + uniform() * (low - high) < 1) return x;
    }
  };
  /** A draw beyond the base layer. */
  const beyond = (): number => {
    for (;;) {
      const x = -Math.log(1 - uniform()) / tail;
      const y = -Math.log(1 - uniform());
      if (2 * y >= x * x) return tail + x;
    }
  };
  return { ...stream, normal };
}
