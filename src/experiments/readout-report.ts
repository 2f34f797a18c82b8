import type { Table } from '../reports/table';
import type { ReadoutStudyResult } from './readout-study';

/** The comparison, one line a readout. */
export function readoutTable(result: ReadoutStudyResult): Table {
  const { network, weightBits, tileRows, vectors, pictures, seed } = result;
  return {
    title: `Readout schemes on ${network}, ${weightBits}-bit weights, R = ${tileRows}: up to ${vectors} input vectors a layer of ${pictures} pictures, seed ${seed}; circuit values assumed`,
    columns: [
      { key: 'name', label: 'readout' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'dacBits', label: 'pulse bits' },
      { key: 'relativeError', label: 'relative output error, mean of layers', unit: '%', digits: 2 },
      { key: 'worstError', label: 'of the worst layer', unit: '%', digits: 2 },
      { key: 'worstLayer', label: 'worst layer' },
      { key: 'conversionsPerOutput', label: 'conversions an output', digits: 1 },
      { key: 'comparatorsPerOutput', label: 'comparators fired an output', digits: 1 },
      { key: 'clipRate', label: 'clipped', unit: '%', digits: 3 },
      { key: 'codeErrorRate', label: 'code errors', unit: '%', digits: 3 },
    ],
    rows: result.rows.map(({ layers: _, ...row }) => ({
      ...row,
      relativeError: 100 * row.relativeError,
      worstError: 100 * row.worstError,
      clipRate: 100 * row.clipRate,
      codeErrorRate: row.codeErrorRate === undefined ? undefined : 100 * row.codeErrorRate,
    })),
  };
}
