import type { CircuitSettings } from './analog-settings';
import type { MappedLayer } from './layer-job';
import { programLayer } from './program-layer';

/**
 * A layer whose circuit is ideal but for stuck cells and conductance levels that leave whole digits: the same faults as
 * the analog engine draws, held as digits, so that the compiled kernel can run them. Undefined for any other circuit.
 */
export function stuckCells(layer: MappedLayer, circuit: CircuitSettings): MappedLayer | undefined {
  if (!isDigital(circuit) || layer.wiring.length > 1 || layer.readouts.some(({ minus }) => minus >= 0))
    return undefined;
  const { rows, columns, tiles, encoding, readouts, codes } = layer;
  const slots = encoding.polarities * encoding.planes;
  const highest = 2 ** encoding.cellBits - 1;
  const cells = new Uint8Array(rows * columns * slots);
  const job = { ...layer, inputs: new Uint8Array(0), vectors: 0 };
  for (let at = 0; at < codes.length; at++)
    for (let slot = 0; slot < slots; slot++)
      cells[at * slots + slot] = encoding.digits[(codes[at] + 128) * slots + slot];
  for (const [tile, array] of programLayer(job, circuit).arrays.entries()) {
    const height = tiles[tile + 1] - tiles[tile];
    for (let i = 0; i < array.columns.length; i++) {
      const channel = Math.floor(array.columns[i] / readouts.length);
      const { plus } = readouts[array.columns[i] % readouts.length];
      for (let row = 0; row < height; row++) {
        const value = array.values[i * height + row];
        if (!Number.isInteger(value) || value < 0 || value > highest) return undefined;
        cells[((tiles[tile] + row) * columns + channel) * slots + plus] = value;
      }
    }
  }
  return { ...layer, cells };
}

function isDigital({ device, converter, wires, dacLevels }: CircuitSettings): boolean {
  if (!device || converter || wires || dacLevels) return false;
  const { onOffRatio, programming, readNoise, drift } = device;
  return (onOffRatio ?? Infinity) === Infinity && !programming && !readNoise && !drift;
}
