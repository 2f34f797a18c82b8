import type { MappedLayer } from './layer-job';

/** What a layer's codes ask of its ADCs, whatever the inputs. */
export interface ColumnLoads {
  /** Conversions that a pulse of one vector costs: bit columns without any charge are not converted. */
  readonly conversions: number;
  /** Largest sum (of either sign) that a conversion can see. */
  readonly largest: number;
  /** The same by bit plane, lowest first. */
  readonly byPlane: readonly number[];
}

export function columnLoads(layer: MappedLayer): ColumnLoads {
  const { slices, encoding } = layer;
  const byPlane = new Array<number>(encoding.planes).fill(0);
  let conversions = 0;
  eachBitColumn(layer, (added, taken, used, plane) => {
    if (!used) return;
    conversions++;
    // Pulses of either sign turn what is subtracted into what is added.
    const most = slices.form === 'sign-magnitude' ? added + taken : Math.max(added, taken);
    byPlane[plane] = Math.max(byPlane[plane], most * slices.maxPulse);
  });
  return { conversions, largest: Math.max(...byPlane), byPlane };
}

/**
 * Visits every converted column of a layer, tiles outermost: the digit sums of the cells it adds and takes off, and whether
 * any code asks for it, and its bit plane.
 */
export function eachBitColumn(
  { codes, cells, columns, tiles, encoding, readouts }: MappedLayer,
  visit: (added: number, taken: number, used: boolean, plane: number) => void,
): void {
  const { digits } = encoding;
  const slots = encoding.polarities * encoding.planes;
  const loads = new Uint32Array(columns * slots);
  const asked = cells ? new Uint32Array(columns * slots) : loads;
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    loads.fill(0);
    asked.fill(0);
    for (let at = tiles[tile] * columns, column = 0; at < tiles[tile + 1] * columns; at++) {
      const own = (codes[at] + 128) * slots;
      const to = column * slots;
      for (let slot = 0; slot < slots; slot++) asked[to + slot] += digits[own + slot];
      if (cells) for (let slot = 0; slot < slots; slot++) loads[to + slot] += cells[at * slots + slot];
      column = column + 1 === columns ? 0 : column + 1;
    }
    for (let to = 0; to < loads.length; to += slots) {
      for (const { plus, minus } of readouts) {
        const used = asked[to + plus] + (minus < 0 ? 0 : asked[to + minus]) > 0;
        visit(loads[to + plus], minus < 0 ? 0 : loads[to + minus], used, plus % encoding.planes);
      }
    }
  }
}
