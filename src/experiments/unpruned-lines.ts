import type { Dataset } from '../data/dataset';
import { FAIR_BASELINE, ROW_LIMITED } from '../hardware/map-designs';
import type { OnProgress } from '../progress';
import type { IntegerNetwork } from '../quantization/integer-network';
import type { Accuracy } from '../training/evaluate';
import { calibrationPictures } from './calibration';
import { type CertifiedRow, type ComparedCrossbar, certifiedRow, crossbarHardware } from './certified-row';
import { calibrateClippedDense, clippedAccuracy } from './clipped-dense';
import { baselineSummary } from './network-hardware';

/** What lines that leave the weights alone are measured with. */
export interface UnprunedBench {
  /** The unpruned 8-bit network. */
  readonly quantized: IntegerNetwork;
  readonly dataset: Dataset;
  readonly seed: number;
}

/**
 * Drives 2^B - 1 rows at a time, so that no conversion can clip: the unpruned network's accuracy, which is `accuracy`, at
 * many times its conversions.
 */
export function rowLimitedLine(
  { quantized }: UnprunedBench,
  crossbar: ComparedCrossbar,
  accuracy: Accuracy,
): CertifiedRow & { readonly accuracy: Accuracy } {
  const hardware = crossbarHardware(quantized, quantized, crossbar);
  const [cost, dense] = [ROW_LIMITED, FAIR_BASELINE].map((name) => baselineSummary(hardware, name));
  return {
    ...certifiedRow(quantized, quantized, crossbar),
    accuracy,
    lossless: true,
    requiredAdcBits: crossbar.adcBits,
    conversions: cost.conversions,
    adcEnergyPj: cost.energyPj.adc,
    adcEnergyGain: dense.energyPj.adc / cost.energyPj.adc,
  };
}

/** Calibration pictures whose activations set the range of clipped dense's ADCs: every conversion of theirs is simulated. */
const RANGE_PICTURES = 16;

/** ADCs of too few bits with calibrated ranges, which clip, on the first `limit` test pictures. */
export function clippedLine(
  { quantized, dataset, seed }: UnprunedBench,
  crossbar: ComparedCrossbar,
  limit: number,
  onProgress: OnProgress,
): CertifiedRow & { readonly accuracy: Accuracy; readonly relativeError: number } {
  const few = calibrationPictures(dataset.train, RANGE_PICTURES, seed);
  const adcs = calibrateClippedDense(quantized, few, { ...crossbar, seed }, onProgress);
  const options = { limit, onProgress };
  const accuracy = clippedAccuracy(quantized, adcs, crossbar.tileRows, dataset.test, options);
  const errors = [...adcs.values()].map(({ relativeError }) => relativeError);
  const relativeError = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  return { ...certifiedRow(quantized, quantized, crossbar), accuracy, relativeError };
}
