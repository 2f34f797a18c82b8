import type { LayerJob } from '../layer-job';
import type { Readout } from '../readouts';

/** One physical column as a converter sees it, with the rows that hold charge. */
export interface BitColumn {
  readonly tile: number;
  /** Output channel. */
  readonly column: number;
  readonly readout: Readout;
  /** -1 where the tile is stored complemented, else 1: what the converted sum counts for besides the readout's weight. */
  readonly sign: number;
  /** Rows of the layer with charge, ascending. */
  readonly rows: Int32Array;
  /** What each of them adds to the sum for a pulse of 1; negative where the readout subtracts it. */
  readonly charges: Int32Array;
}

/** The bit columns of a tile that hold any charge: the others are never converted. By output channel, then readout. */
export function bitColumns(job: LayerJob, tile: number): BitColumn[] {
  const { codes, columns, encoding, tiles, flips } = job;
  const slots = encoding.polarities * encoding.planes;
  const found: BitColumn[] = [];
  const rows: number[] = [];
  const charges: number[] = [];
  for (let column = 0; column < columns; column++) {
    const sign = flips?.[tile * columns + column] ? -1 : 1;
    for (const readout of job.readouts) {
      rows.length = 0;
      charges.length = 0;
      for (let row = tiles[tile]; row < tiles[tile + 1]; row++) {
        const base = (codes[row * columns + column] + 128) * slots;
        const taken = readout.minus < 0 ? 0 : encoding.digits[base + readout.minus];
        // A row never holds charge in both polarities of a plane, so zero means that both are empty.
        const charge = encoding.digits[base + readout.plus] - taken;
        if (charge === 0) continue;
        rows.push(row);
        charges.push(charge);
      }
      if (rows.length === 0) continue;
      found.push({
        tile,
        column,
        readout,
        sign,
        rows: Int32Array.from(rows),
        charges: Int32Array.from(charges),
      });
    }
  }
  return found;
}
