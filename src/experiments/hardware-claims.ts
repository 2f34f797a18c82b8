import { CLAIMED_GAIN } from '../hardware/efficiency-definitions';
import { FAIR_BASELINE } from '../hardware/map-designs';
import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import type { HardwareStudyResult } from './hardware-study';

/** What must hold of the model, and what we expect of the networks. */
export function hardwareClaims(result: HardwareStudyResult): { claims: Claim[]; obtained: Obtained } {
  const worst = (source: string) =>
    Math.max(
      ...result.checks
        .filter((check) => check.source === source)
        .map((check) => 100 * Math.abs(check.difference)),
    );
  const claims: Claim[] = [
    {
      id: 'isaac',
      claim: 'ISAAC’s totals follow from its parts, largest difference',
      expected: 1,
      compare: 'at most',
      unit: '%',
      digits: 2,
    },
    {
      id: 'sar',
      claim: 'the SAR fit follows the published table, largest difference',
      expected: 0.5,
      compare: 'at most',
      unit: '%',
      digits: 2,
    },
  ];
  const obtained: Record<string, number | undefined> = {
    isaac: worst('ISAAC'),
    sar: worst('SAR table 4-10 bits'),
  };
  for (const { name, definitions } of result.networks) {
    for (const [id, title, least] of [
      ['conversion', 'ADC energy a conversion', 1],
      ['tile-energy', 'tile energy', 1],
    ] as const) {
      claims.push({
        id: `${name} ${id}`,
        claim: `${name}: gain in ${title} over the dense network at its measured bits`,
        paper: `${CLAIMED_GAIN} under its own definition`,
        expected: least,
        compare: 'at least',
        unit: 'x',
        digits: 2,
      });
      obtained[`${name} ${id}`] = definitions.find(
        (own) => own.definition === id && own.baseline === FAIR_BASELINE,
      )?.gain;
    }
  }
  return { claims, obtained };
}
