import { largestOf, ofPlane, type PerPlane, planeList } from '../bitplanes/per-plane';
import { InputError } from '../errors';
import { type Adc, type AdcSettings, checkAdc } from './adc';
import { distinctSteps, stepAt } from './adc-steps';
import { eachBitColumn } from './column-loads';
import type { MappedLayer } from './layer-job';

/** Ideal ADCs whose resolution may differ by bit plane. */
export interface PlaneAdcs extends Omit<AdcSettings, 'bits'> {
  /** 1..16, signed ones from 2; or one number a bit plane, lowest first, 0 where no weight has a one and no ADC is needed. */
  readonly bits: PerPlane;
}

/** The ADCs of a layer. `lossless`: every column sum reaches the digital side unchanged. */
export type LayerAdc = 'lossless' | PlaneAdcs;

/** The ADCs of a layer's converted columns, each kind once. */
export interface AdcKinds {
  /** By step, then by bits, ascending: the order in which outputs are added up. */
  readonly kinds: readonly Adc[];
  /** Which of the kinds reads a column; -1 where the plane has no ADC. */
  kindAt(tile: number, channel: number, readout: number): number;
}

type ReadLayer = Pick<MappedLayer, 'adc' | 'steps' | 'columns' | 'tiles' | 'readouts' | 'encoding'>;

/** Resolves bits by plane and steps by column into the ADC that reads each column. */
export function adcKinds(layer: ReadLayer): AdcKinds {
  const { adc, readouts, encoding } = layer;
  if (adc === 'lossless') return { kinds: [adc], kindAt: () => 0 };
  const bits = [...new Set([adc.bits].flat())].filter((own) => own > 0).sort((a, b) => a - b);
  const steps = distinctSteps(layer);
  const kinds = steps.flatMap((step) => bits.map((own): Adc => ({ ...adc, bits: own, step })));
  const placeOfStep = new Map(steps.map((step, at) => [step, at]));
  const placeOfBits = readouts.map(({ plus }) => bits.indexOf(ofPlane(adc.bits, plus % encoding.planes)));
  return {
    kinds,
    kindAt(tile, channel, readout) {
      const place = placeOfBits[readout];
      return place < 0 ? -1 : placeOfStep.get(stepAt(layer, tile, channel, readout))! * bits.length + place;
    },
  };
}

/** The ADC of most bits. */
export function largestAdc(adc: PlaneAdcs): AdcSettings {
  return { ...adc, bits: largestOf(adc.bits) };
}

/** Throws an InputError unless the layer can have these ADCs: fields within range, one resolution a plane, none only where it is empty. */
export function checkLayerAdc(layer: MappedLayer): void {
  const { adc, encoding } = layer;
  if (typeof adc !== 'object' || !Array.isArray(adc?.bits)) {
    checkAdc(adc as Adc);
    return;
  }
  const bits = planeList('adc.bits', adc.bits, encoding.planes);
  for (const own of bits) if (own !== 0) checkAdc({ ...adc, bits: own });
  if (!bits.includes(0)) return;
  eachBitColumn(layer, (_added, _taken, used, plane) => {
    if (used && bits[plane] === 0) throw new InputError(`adc.bits: 0 for plane ${plane}, which holds ones`);
  });
}
