import { evenTileRows } from '../bitplanes/even-tile-rows';
import { InputError } from '../errors';

/** How many rows of a layer's row tiles its input pulses drive: what skipping zero inputs can save. */
export interface InputActivity {
  /** Rows of a row tile. */
  readonly tileRows: number;
  /** Bits of a pulse. */
  readonly dacBits: number;
  /** driven[tile][n]: share of the pulses (of all input vectors) that drive n rows of the tile; each adds up to 1. */
  readonly driven: readonly Float64Array[];
}

/** Counts the driven rows of every tile from input codes [vectors, rows], rows as they stand on the crossbars. */
export function inputActivity(
  inputs: Uint8Array | Int8Array,
  {
    vectors,
    rows,
    tileRows: crossbarRows = 128,
    inputBits = 8,
    dacBits = 1,
  }: {
    readonly vectors: number;
    readonly rows: number;
    /** R; the rows lie on their tiles evenly. */
    readonly tileRows?: number;
    readonly inputBits?: number;
    readonly dacBits?: number;
  },
): InputActivity {
  if (inputs.length !== vectors * rows || vectors < 1)
    throw new InputError(`inputs: ${inputs.length} codes are not ${vectors} vectors of ${rows} rows`);
  const tileRows = evenTileRows(rows, crossbarRows);
  const tiles = Math.ceil(rows / tileRows);
  const driven = Array.from(
    { length: tiles },
    (_, tile) => new Float64Array(Math.min(tileRows, rows - tile * tileRows) + 1),
  );
  const pulses = Math.ceil(inputBits / dacBits);
  const share = 1 / (vectors * pulses);
  // Rows whose pulse is not 0.
  const rowsDriven = new Int32Array(pulses);
  for (let vector = 0; vector < vectors; vector++) {
    for (let tile = 0; tile < tiles; tile++) {
      rowsDriven.fill(0);
      const end = vector * rows + Math.min(rows, (tile + 1) * tileRows);
      for (let at = vector * rows + tile * tileRows; at < end; at++) {
        for (let code = inputs[at] & 255, pulse = 0; code !== 0; code >>= dacBits, pulse++)
          rowsDriven[pulse] += Number((code & (2 ** dacBits - 1)) !== 0);
      }
      for (const rows of rowsDriven) driven[tile][rows] += share;
    }
  }
  return { tileRows, dacBits, driven };
}

/** The mean of activities of the same rows, such as those of a convolution's channel groups. */
export function meanActivity(activities: readonly InputActivity[]): InputActivity {
  const [{ tileRows, dacBits, driven }] = activities;
  return {
    tileRows,
    dacBits,
    driven: driven.map((own, tile) =>
      own.map(
        (_, n) => activities.reduce((sum, other) => sum + other.driven[tile][n], 0) / activities.length,
      ),
    ),
  };
}

/** What skipping takes from a tile's pulses. */
export interface Skipping {
  /** A pulse that drives no row of a tile is not converted there. */
  readonly inputBits?: boolean;
  /** Only rows whose pulse is not 0 are driven, and rows are grouped among those; includes `inputBits`. */
  readonly rows?: boolean;
}

/** Mean row groups (read one after another) and rows driven a pulse, of a tile of `rows` rows. */
export function tilePulse(
  rows: number,
  rowsPerConversion: number,
  skip: Skipping = {},
  driven?: Float64Array,
): { readonly groups: number; readonly rowsDriven: number } {
  const all = Math.ceil(rows / rowsPerConversion);
  if (!driven || !(skip.inputBits || skip.rows)) return { groups: all, rowsDriven: rows };
  if (!skip.rows) {
    const active = 1 - driven[0];
    return { groups: active * all, rowsDriven: active * rows };
  }
  let groups = 0;
  let rowsDriven = 0;
  driven.forEach((share, n) => {
    groups += share * Math.ceil(n / rowsPerConversion);
    rowsDriven += share * n;
  });
  return { groups, rowsDriven };
}
