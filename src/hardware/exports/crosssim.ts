import { countOnes } from '../../bitplanes/count-ones';
import { evenTileRows } from '../../bitplanes/even-tile-rows';
import { largestOf } from '../../bitplanes/per-plane';
import { InputError } from '../../errors';
import { adcBitsOf } from '../../quantization/adc-bits';
import { crossbarNodes } from '../../quantization/crossbar-layers';
import type { IntegerLayer, IntegerNetwork } from '../../quantization/integer-network';
import { layerCodeMatrix } from '../../quantization/layer-code-matrix';
import { crossbarCodes } from '../../quantization/row-order';
import { type ExportFile, requireUngrouped } from './export-file';

/** How CrossSim 3's parameters name the crossbars of a layer. */
export interface CrossSimLayer {
  readonly name: string;
  /**
   * The weight file: int8 [columns, rows], rows as they stand on the crossbars; filled up with zero rows to whole tiles
   * where there is more than one, as CrossSim splits rows evenly.
   */
  readonly weights: string;
  /** Which input drives each row; absent: row i has input i. */
  readonly rowOrder?: readonly number[];
  readonly weightScales: readonly number[];
  readonly inputScale: number;
  /** Ones of the fullest column of each slice, lowest first. */
  readonly mostOnes: readonly number[];
  /** Values by the path of their attribute in CrossSimParameters. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** The few lines of Python that make a core of it. */
const LOADER = `import json
import os

import numpy as np
from simulator import AnalogCore, CrossSimParameters


def crosssim_layer(name, folder=os.path.dirname(os.path.abspath(__file__))):
    """CrossSim's core of a layer: core.matmat(inputs [rows, vectors]) gives the integer products; inputs as wide as the
    weights, zeros appended."""
    with open(os.path.join(folder, "crosssim.json")) as file:
        layer = next(own for own in json.load(file)["layers"] if own["name"] == name)
    params = CrossSimParameters()
    for path, value in layer["parameters"].items():
        *parents, last = path.split(".")
        target = params
        for parent in parents:
            target = getattr(target, parent)
        if last == "Rmax":
            value = float(value)
        if last == "calibrated_range":
            value = np.array(value, dtype=float)
        setattr(target, last, value)
    weights = np.load(os.path.join(folder, layer["weights"])).astype(float)
    return AnalogCore(weights, params=params)
`;

/**
 * Weights as NumPy files and, for each layer, the parameters of CrossSim's bit-sliced balanced core with the ADC limits:
 * one slice a plane, positive and negative cells converted apart, rows in tiles of R, 1-bit input slices. All slices have
 * the layer's largest resolution: CrossSim knows one a core. Limits are in cells at full conductance times 1-bit inputs, which is CrossSim's unit at an infinite on/off ratio.
 * @throws InputError for a network that was not pruned, is not sign-split, or has grouped convolutions
 */
export function crosssimFiles(network: IntegerNetwork): ExportFile[] {
  const { description, pruning, weightBits } = network;
  if (!pruning) throw new InputError('not a pruned network: its ADC limits are not known');
  if (pruning.encoding !== 'sign-split' || (pruning.cellBits ?? 1) !== 1 || (pruning.dacBits ?? 1) !== 1)
    throw new InputError(
      'CrossSim: only sign-split encoding with 1-bit cells and DACs has the same columns there',
    );
  const nodes = crossbarNodes(description);
  for (const node of nodes) requireUngrouped(node, 'CrossSim');
  const layers = nodes.map(({ name }) =>
    crosssimLayer(
      network.layers.get(name)!,
      largestOf(adcBitsOf(pruning.adcBits, name)),
      weightBits,
      pruning.tileRows,
    ),
  );
  return [
    { path: 'crosssim_layer.py', content: LOADER },
    { path: 'crosssim.json', content: `${JSON.stringify({ network: description.name, layers }, null, 1)}\n` },
    ...layers.map(({ name, weights }) => ({
      path: weights,
      content: weightFile(network.layers.get(name)!, pruning.tileRows),
    })),
  ];
}

function crosssimLayer(
  layer: IntegerLayer,
  adcBits: number,
  weightBits: number,
  tileRows: number,
): CrossSimLayer {
  const { name, columns, rowOrder, scales, inputScale, inputBits, inputSigned } = layer;
  if (inputSigned) throw new InputError(`layer ${name}: signed inputs; CrossSim’s input slices are unsigned`);
  const slices = weightBits - 1;
  const mostOnes = mostOnesBySlice(layer, tileRows, weightBits);
  return {
    name,
    weights: `${name}.npy`,
    ...(rowOrder && { rowOrder: [...rowOrder] }),
    weightScales: [...scales],
    inputScale,
    mostOnes,
    parameters: {
      'core.style': 'BITSLICED',
      'core.weight_bits': weightBits,
      'core.rows_max': tileRows,
      'core.cols_max': columns,
      'core.bit_sliced.style': 'BALANCED',
      'core.bit_sliced.num_slices': slices,
      'core.balanced.subtract_current_in_xbar': false,
      'core.mapping.weights.percentile': null,
      'core.mapping.weights.min': 1 - 2 ** slices,
      'core.mapping.weights.max': 2 ** slices - 1,
      'core.mapping.inputs.mvm.min': 0,
      'core.mapping.inputs.mvm.max': 2 ** inputBits - 1,
      'xbar.device.cell_bits': 1,
      // JSON has no infinity.
      'xbar.device.Rmax': 'inf',
      'xbar.dac.mvm.bits': inputBits,
      'xbar.dac.mvm.input_bitslicing': true,
      'xbar.dac.mvm.slice_size': 1,
      'xbar.dac.mvm.model': 'QuantizerDAC',
      'xbar.dac.mvm.signed': false,
      'xbar.adc.mvm.model': 'QuantizerADC',
      'xbar.adc.mvm.bits': adcBits,
      'xbar.adc.mvm.signed': false,
      'xbar.adc.mvm.adc_per_ibit': true,
      'xbar.adc.mvm.adc_range_option': 'CALIBRATED',
      'xbar.adc.mvm.calibrated_range': Array.from({ length: slices }, () => [0, 2 ** adcBits - 1]),
    },
  };
}

function mostOnesBySlice(layer: IntegerLayer, tileRows: number, weightBits: number): number[] {
  const { counts, planes } = countOnes(layerCodeMatrix(layer, { weightBits }, tileRows));
  const most = new Array<number>(planes).fill(0);
  counts.forEach((ones, at) => {
    most[at % planes] = Math.max(most[at % planes], ones);
  });
  return most;
}

function weightFile(layer: IntegerLayer, tileRows: number): Uint8Array {
  const { rows, columns } = layer;
  const codes = crossbarCodes(layer);
  const width = Math.ceil(rows / tileRows) * evenTileRows(rows, tileRows);
  const values = new Int8Array(columns * width);
  for (let column = 0; column < columns; column++)
    for (let row = 0; row < rows; row++) values[column * width + row] = codes[row * columns + column];
  return numpyFile(values, [columns, width]);
}

/** A NumPy file (format 1.0) of an int8 matrix. */
export function numpyFile(values: Int8Array, [height, width]: readonly [number, number]): Uint8Array {
  const header = `{'descr': '|i1', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  // Magic, version and length take 10 bytes; the data begin at a multiple of 64.
  const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + length + values.length).fill(0x20, 10, 10 + length);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, length & 255, length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes[10 + length - 1] = 0x0a;
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.length), 10 + length);
  return bytes;
}
