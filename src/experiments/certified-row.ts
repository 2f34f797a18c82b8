import { FAIR_BASELINE } from '../hardware/map-designs';
import type { IntegerNetwork } from '../quantization/integer-network';
import { certifyNetwork } from './certify-network';
import {
  baselineSummary,
  type HardwareSummary,
  networkHardware,
  summarizeHardware,
} from './network-hardware';

/** A crossbar that networks are compared on. */
export interface ComparedCrossbar {
  readonly tileRows: number;
  readonly adcBits: number;
}

/** What the codes alone tell of a network on a crossbar. */
export interface CertifiedRow {
  /** Share of weights that are not zero. */
  readonly nonzeroShare: number;
  /** No conversion of any input can clip: recounted from the codes. */
  readonly lossless: boolean;
  readonly requiredAdcBits: number;
  /** Per inference: conversions, ADC energy (pJ), and how many times less than the unpruned network at its measured bits. */
  readonly conversions: number;
  readonly adcEnergyPj: number;
  readonly adcEnergyGain: number;
}

/** @param dense the same network unpruned */
export function certifiedRow(
  network: IntegerNetwork,
  dense: IntegerNetwork,
  crossbar: ComparedCrossbar,
): CertifiedRow {
  const { nonzeroShare, lossless, requiredAdcBits } = certifyNetwork(network, crossbar.tileRows);
  const hardware = crossbarHardware(network, dense, crossbar);
  return {
    nonzeroShare,
    lossless: lossless && requiredAdcBits <= crossbar.adcBits,
    requiredAdcBits,
    conversions: hardware.conversions,
    adcEnergyPj: hardware.energyPj.adc,
    adcEnergyGain: baselineSummary(hardware, FAIR_BASELINE).gains.adc.energy,
  };
}

/** Costs with the same ADC in every layer. */
export function crossbarHardware(
  network: IntegerNetwork,
  dense: IntegerNetwork,
  { tileRows, adcBits }: ComparedCrossbar,
): HardwareSummary {
  return summarizeHardware(networkHardware(network, { tileRows, dense, adcBits: () => adcBits }));
}
