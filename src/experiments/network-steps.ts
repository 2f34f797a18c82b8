import { chooseSteps, type RangePolicy } from '../crossbar/adc-range';
import type { AdcSteps, StepGranularity } from '../crossbar/adc-steps';
import { analogEngine } from '../crossbar/analog-engine';
import { fullScales, type LayerInput, layerJob, mapInput } from '../crossbar/layer-job';
import { simulateLayer } from '../crossbar/simulate-layer';
import { mergeHistograms, type SumHistogram } from '../crossbar/sum-histogram';
import { InputError } from '../errors';
import type { Pictures } from '../networks/inference';
import { adcBitsOf } from '../quantization/adc-bits';
import type { IntegerNetwork } from '../quantization/integer-network';
import { crossbarInputs } from './crossbar-inputs';
import { layerVectors } from './layer-vectors';
import { observeLayers } from './observe-layers';
import type { NetworkAdcs } from './simulate-network';

/** How the ranges of a network's ADCs are chosen. */
export interface CalibratedRange {
  readonly policy: RangePolicy;
  /** What shares a range. */
  readonly granularity: StepGranularity;
  /** Their column sums are looked at. */
  readonly pictures: Pictures;
}

/**
 * The steps of each layer's ADCs, of the bits and rounding of `adc`, by layer.
 * @throws InputError for a layer whose ADCs differ by bit plane
 */
export function networkSteps(
  network: IntegerNetwork,
  { tileRows, adc }: { readonly tileRows: number; readonly adc: NetworkAdcs },
  { policy, granularity, pictures }: CalibratedRange,
): ReadonlyMap<string, AdcSteps> {
  const steps = new Map<string, AdcSteps>();
  observeLayers(network, pictures, (node, inputCodes) => {
    const bits = adcBitsOf(adc.bits, node.name);
    if (typeof bits !== 'number')
      throw new InputError(
        `range: the ADCs of ${node.name} differ by bit plane; a range needs one resolution`,
      );
    const vectors = layerVectors(node, network.layers.get(node.name)!, inputCodes);
    const groups = crossbarInputs(network, node, vectors, tileRows);
    const layer = mapInput(groups[0]);
    const settings = {
      adc: { ...adc, bits, signed: layer.signedSums },
      range: policy,
      fullScales: fullScales(layer),
    };
    steps.set(node.name, chooseSteps(sumsSeen(groups, granularity), granularity, settings));
    return undefined;
  });
  return steps;
}

/** Histograms of a layer's column sums, one for each step, from what each channel group takes. */
function sumsSeen(groups: readonly LayerInput[], granularity: StepGranularity): SumHistogram[] {
  // The sums of all columns together are what the compiled engine counts.
  if (granularity === 'layer')
    return [mergeHistograms(groups.map((input) => simulateLayer(input, undefined, true).sums!))];
  const jobs = groups.map((input) => layerJob(input));
  const seen = jobs.map((job) => analogEngine(job, { record: granularity }).record!.sums);
  return Array.from({ length: jobs[0].tiles.length - 1 }, (_, array) => {
    if (granularity === 'array') return mergeHistograms(seen.map((own) => own[array]));
    const width = jobs[0].columns * jobs[0].readouts.length;
    return seen.flatMap((own) => own.slice(array * width, (array + 1) * width));
  }).flat();
}
