import type { LayerJob } from './layer-job';

/**
 * The rows that hold a one, for each bit of each cell column. List (column, tile, slot, bit) has the number
 * ((column * tiles + tile) * slots + slot) * cellBits + bit and holds rows[starts[list]..starts[list + 1]-1], padded to a
 * multiple of four with the row number `padding`, whose input is always zero.
 */
export interface OnesLists {
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  /** Ones of each list, without padding. */
  readonly counts: Int32Array;
  readonly padding: number;
}

export function onesLists(job: LayerJob): OnesLists {
  const counts = new Int32Array(listCount(job));
  eachOne(job, (list) => counts[list]++);
  const starts = new Int32Array(counts.length + 1);
  for (let list = 0; list < counts.length; list++)
    starts[list + 1] = starts[list] + ((counts[list] + 3) & ~3);
  const rows = new Int32Array(starts[counts.length]).fill(job.rows);
  const next = starts.slice(0, counts.length);
  eachOne(job, (list, row) => {
    rows[next[list]++] = row;
  });
  return { starts, rows, counts, padding: job.rows };
}

function listCount({ columns, tiles, encoding }: LayerJob): number {
  return columns * (tiles.length - 1) * encoding.polarities * encoding.planes * encoding.cellBits;
}

/** Visits the ones of a layer, rows in order. */
function eachOne(job: LayerJob, visit: (list: number, row: number) => void): void {
  const { codes, columns, tiles, encoding } = job;
  const { cellBits, digits } = encoding;
  const slots = encoding.polarities * encoding.planes;
  const tileCount = tiles.length - 1;
  for (let tile = 0; tile < tileCount; tile++) {
    for (let row = tiles[tile]; row < tiles[tile + 1]; row++) {
      for (let column = 0; column < columns; column++) {
        const code = codes[row * columns + column];
        for (let slot = 0; slot < slots; slot++) {
          const digit = digits[(code + 128) * slots + slot];
          if (digit === 0) continue;
          const list = ((column * tileCount + tile) * slots + slot) * cellBits;
          for (let bit = 0; bit < cellBits; bit++) if ((digit >> bit) & 1) visit(list + bit, row);
        }
      }
    }
  }
}
