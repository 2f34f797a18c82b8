import { onesHistogram } from '../bitplanes/ones-histogram';
import { InputError } from '../errors';
import type { Pictures } from '../networks/inference';
import type { IntegerNetwork } from '../quantization/integer-network';
import { adcCode, adcCodes } from './adc';
import { eachBitColumn } from './column-loads';
import type { CrossbarInferenceOptions, LayerSeen } from './crossbar-inference';
import { createCrossbarInference } from './crossbar-inference';
import type { PlaneAdcs } from './layer-adcs';
import type { MappedLayer } from './layer-job';
import type { SumHistogram } from './sum-histogram';

/** What the crossbars of a layer saw. */
export interface LayerObservation {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** R and the row tiles that follow. */
  readonly tiles: number;
  /** Bit columns by how many ones (digit sum) they hold: ones[count]. */
  readonly ones: readonly number[];
  readonly conversions: number;
  /** Share of the conversions that clip. */
  readonly clippingRate: number;
  /** How often each column sum was seen: counts[sum - lowest], up to the largest seen. */
  readonly sums: { readonly lowest: number; readonly counts: readonly number[] };
  /** How often each ADC code was given: counts[code - lowest]; absent for a lossless ADC, and where planes have ADCs of their own. */
  readonly codes?: { readonly lowest: number; readonly counts: readonly number[] };
  /** Share of the input codes that are zero, and of their bits. */
  readonly zeroInputs: number;
  readonly zeroInputBits: number;
}

/**
 * Classifies pictures on crossbars, every conversion made, and tells what each layer saw.
 * @throws InputError for `steps`: codes are counted from the sums of a whole layer, which then have one step
 */
export function observeNetwork(
  network: IntegerNetwork,
  pictures: Pictures,
  options: Omit<CrossbarInferenceOptions, 'onLayer' | 'circuit'>,
): readonly LayerObservation[] {
  if (options.steps)
    throw new InputError("steps: observed codes are those of one step, the ADC's own; give it as adc.step");
  const observations: LayerObservation[] = [];
  const onLayer = (seen: LayerSeen) => observations.push(observation(seen));
  const inference = createCrossbarInference(network, { ...options, onLayer });
  try {
    inference.logits(pictures);
  } finally {
    inference.dispose();
  }
  return observations;
}

function observation({ node, layer, codes, result }: LayerSeen): LayerObservation {
  const { adc, tiles, rows, columns } = layer;
  const { saturated, conversions } = result;
  const sums = trimmed(result.sums!);
  return {
    name: node.name,
    rows,
    columns,
    tiles: tiles.length - 1,
    ones: onesOf(layer),
    conversions,
    clippingRate: conversions === 0 ? 0 : saturated / conversions,
    sums,
    ...(adc !== 'lossless' && { codes: codesOf(sums, adc) }),
    ...inputSparsity(codes, layer),
  };
}

/** Without the sums beyond the largest and smallest seen. */
function trimmed({ lowest, counts }: SumHistogram): { lowest: number; counts: number[] } {
  const seen = Array.from(counts.keys()).filter((at) => counts[at] > 0);
  if (seen.length === 0) return { lowest: 0, counts: [] };
  const first = seen[0];
  return { lowest: lowest + first, counts: Array.from(counts.subarray(first, seen[seen.length - 1] + 1)) };
}

function codesOf(sums: { lowest: number; counts: readonly number[] }, { bits, ...rest }: PlaneAdcs) {
  if (typeof bits !== 'number') return undefined;
  const adc = { ...rest, bits };
  const { lowest, highest } = adcCodes(adc);
  const counts = new Array<number>(highest - lowest + 1).fill(0);
  sums.counts.forEach((count, at) => {
    if (count > 0) counts[adcCode(sums.lowest + at, adc) - lowest] += count;
  });
  return { lowest, counts };
}

function onesOf(layer: MappedLayer): number[] {
  const ones: number[] = [];
  eachBitColumn(layer, (added, taken) => ones.push(added + taken));
  return Array.from(onesHistogram(Uint32Array.from(ones)));
}

function inputSparsity(codes: Uint8Array | Int8Array, { slices }: MappedLayer) {
  const { pulses, planes, storedBits } = slices;
  // Zero bits of each code, over all pulses.
  const zeroBits = Uint8Array.from({ length: 256 }, (_, code) => {
    let zeros = storedBits;
    for (let plane = 0; plane < planes; plane++) {
      for (let pulse = Math.abs(pulses[code * planes + plane]); pulse > 0; pulse &= pulse - 1) zeros--;
    }
    return zeros;
  });
  let zeros = 0;
  let bits = 0;
  for (const code of codes) {
    if (code === 0) zeros++;
    bits += zeroBits[code & 255];
  }
  return { zeroInputs: zeros / codes.length, zeroInputBits: bits / (codes.length * storedBits) };
}
