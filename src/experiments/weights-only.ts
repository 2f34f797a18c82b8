import { certifyLayer } from '../bitplanes/certify-layer';
import { evenTileRows } from '../bitplanes/even-tile-rows';
import type { OnProgress } from '../progress';
import { tuneScales } from '../projections/tune-scales';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { maxAbsScales, quantizeWeights } from '../quantization/weight-codes';
import { rowCount, weightMatrix } from '../quantization/weight-matrix';
import type { Table } from '../reports/table';
import { type HardwareSummary, networkHardware, summarizeHardware } from './network-hardware';
import type { FloatModel } from './open-model';

export interface WeightsOnlyRow {
  readonly tileRows: number;
  readonly adcBits: number;
  readonly lossless: boolean;
  readonly nonzeroShare: number;
  /** Weight energy lost by the projection, over all layers. */
  readonly relativeError: number;
  /** Mean certified distance from the best projection, over all columns. */
  readonly meanGap: number;
  readonly hardware: HardwareSummary;
}

/**
 * What can be said of a trained network without any picture: every layer projected on the hierarchical limits with
 * tuned scales, the certificate, how far the projection can be from the best, and what the conversions cost.
 */
export function weightsOnlyStudy(
  model: FloatModel,
  configurations: readonly { readonly tileRows: number; readonly adcBits: number }[],
  onProgress?: OnProgress,
): WeightsOnlyRow[] {
  const dense = integerNetwork(model, (weights, rows, columns) => {
    const scales = maxAbsScales(weights, rows, columns, 8);
    return { scales, codes: quantizeWeights(weights, scales, 8) };
  });
  return configurations.map(({ tileRows, adcBits }) => {
    const budget = (rows: number) => ({
      tileRows: evenTileRows(rows, tileRows),
      weightBits: 8,
      bitLimit: 2 ** adcBits - 1,
    });
    const total = crossbarNodes(model.folded.description).length;
    const gaps: number[] = [];
    let error = 0;
    let energy = 0;
    let done = 0;
    const pruned = integerNetwork(model, (weights, rows, columns) => {
      onProgress?.({ done, total, note: `R=${tileRows}, ${adcBits} bits, weights only` });
      done++;
      const { scales, codes, gaps: own, objective } = tuneScales({ ...budget(rows), weights, rows, columns });
      gaps.push(...own);
      error += objective;
      for (const weight of weights) energy += weight * weight;
      return { scales, codes };
    });
    const layers = [...pruned.layers.values()];
    const certificates = layers.map(({ codes, rows, columns }) =>
      certifyLayer({ ...budget(rows), codes, rows, columns }),
    );
    const weights = layers.reduce((sum, layer) => sum + layer.codes.length, 0);
    return {
      tileRows,
      adcBits,
      lossless: certificates.every((certificate) => certificate.holds),
      nonzeroShare: certificates.reduce((sum, certificate) => sum + certificate.nonzeros, 0) / weights,
      relativeError: error / energy,
      meanGap: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length,
      hardware: summarizeHardware(networkHardware(pruned, { tileRows, dense, adcBits: () => adcBits })),
    };
  });
}

/** Codes of every layer by `quantize`; without pictures the activation scales stay unknown and are set to 1. */
function integerNetwork(
  { folded, mean = [0, 0, 0], std = [1, 1, 1] }: FloatModel,
  quantize: (weights: Float32Array, rows: number, columns: number) => Pick<IntegerLayer, 'codes' | 'scales'>,
): IntegerNetwork {
  const layers = new Map<string, IntegerLayer>();
  for (const node of crossbarNodes(folded.description)) {
    const rows = rowCount(node);
    const columns = node.op === 'conv' ? node.outChannels : node.outFeatures;
    const codes = quantize(weightMatrix(node, folded.parameters, { std }), rows, columns);
    const bias = new Float32Array(columns);
    layers.set(node.name, {
      name: node.name,
      rows,
      columns,
      ...codes,
      bias,
      inputScale: 1,
      inputBits: 8,
      inputSigned: false,
    });
  }
  return { description: folded.description, weightBits: 8, layers, mean, std };
}

export function weightsOnlyTable(model: FloatModel, rows: readonly WeightsOnlyRow[]): Table {
  return {
    title: `${model.name}, weights only (no pictures at hand): 8-bit weights, sign-split, hierarchical projection, no calibration`,
    columns: [
      { key: 'tileRows', label: 'R' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'lossless', label: 'lossless' },
      { key: 'kept', label: 'weights kept', unit: '%', digits: 1 },
      { key: 'error', label: 'weight energy lost', unit: '%', digits: 2 },
      { key: 'gap', label: 'mean certified gap', unit: '%', digits: 3 },
      ...(rows[0]?.hardware.baselines ?? []).map(({ name }) => ({
        key: name,
        label: `ADC energy gain over ${name}`,
        digits: 2,
      })),
    ],
    rows: rows.map((row) => ({
      tileRows: row.tileRows,
      adcBits: row.adcBits,
      lossless: row.lossless ? 'yes' : 'NO',
      kept: 100 * row.nonzeroShare,
      error: 100 * row.relativeError,
      gap: 100 * row.meanGap,
      ...Object.fromEntries(row.hardware.baselines.map(({ name, gains }) => [name, gains.adc.energy])),
    })),
  };
}
