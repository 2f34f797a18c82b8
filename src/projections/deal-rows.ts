/** Sum of squares of every row of weights [rows, columns]. */
export function rowEnergies(weights: Float32Array, columns: number): Float64Array {
  const energies = new Float64Array(weights.length / columns);
  weights.forEach((weight, i) => {
    energies[Math.floor(i / columns)] += weight * weight;
  });
  return energies;
}

/**
 * Deals rows to tiles of `tileRows` places, largest energy first, each to the tile with room that holds least: in rows
 * per place if `byCount`, else in energy. Returns an order: place i of the tiles, one after the other, holds row order[i].
 */
export function dealRows(energies: Float64Array, tileRows: number, byCount: boolean): Int32Array {
  const rows = energies.length;
  const places = Array.from({ length: Math.ceil(rows / tileRows) }, (_, tile) =>
    Math.min(tileRows, rows - tile * tileRows),
  );
  const held: number[][] = places.map(() => []);
  const load = places.map(() => 0);
  const queue = Int32Array.from({ length: rows }, (_, row) => row).sort((a, b) => energies[b] - energies[a]);
  for (const row of queue) {
    let to = -1;
    for (let tile = 0; tile < places.length; tile++)
      if (held[tile].length < places[tile] && (to < 0 || load[tile] < load[to])) to = tile;
    held[to].push(row);
    load[to] += byCount ? 1 / places[to] : energies[row];
  }
  return Int32Array.from(held.flat());
}
