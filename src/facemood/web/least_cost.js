// The linear assignment problem: match faces to tracks at the lowest total cost, as tracking/least_cost.py does.

/**
 * Match rows to columns at the lowest total cost; an unmatched row costs `limit`. This is the Hungarian method with
 * shortest augmenting paths (Kuhn 1955; Jonker & Volgenant 1987).
 * @param {number[][]} costs R rows of C numbers.
 * @param {number} limit Every pair costs less than this.
 * @returns {Map<number, number>} The column of each row that is matched.
 */
export function assign(costs, limit) {
  const [rows, columns] = [costs.length, costs[0]?.length ?? 0];
  const table = costs.map((row) => [...row.map((cost) => (cost < limit ? cost : 2 * limit + 1)), ...Array(rows).fill(limit)]);
  const owner = Array(columns + rows + 1).fill(-1);
  const prices = { row: Array(rows).fill(0), column: Array(columns + rows + 1).fill(0) };
  for (let row = 0; row < rows; row++) augment(table, owner, prices, row);
  const pairs = new Map();
  for (let column = 0; column < columns; column++) if (owner[column] >= 0) pairs.set(owner[column], column);
  return pairs;
}

/**
 * Match one more row along the shortest augmenting path.
 * @param {number[][]} table
 * @param {number[]} owner The row of each column; the last column is where a path begins.
 * @param {{ row: number[], column: number[] }} prices
 * @param {number} row
 */
function augment(table, owner, prices, row) {
  const start = owner.length - 1;
  owner[start] = row;
  const least = Array(start).fill(Infinity);
  const came = Array(start).fill(start);
  const done = Array(start + 1).fill(false);
  let column = start;
  while (owner[column] >= 0) {
    done[column] = true;
    const own = owner[column];
    let following = -1;
    for (let next = 0; next < start; next++) {
      if (done[next]) continue;
      const reduced = table[own][next] - prices.row[own] - prices.column[next];
      if (reduced < least[next]) [least[next], came[next]] = [reduced, column];
      if (following < 0 || least[next] < least[following]) following = next;
    }
    const step = least[following];
    for (let next = 0; next <= start; next++) {
      if (done[next]) {
        prices.row[owner[next]] += step;
        prices.column[next] -= step;
      } else if (next < start) {
        least[next] -= step;
      }
    }
    column = following;
  }
  for (; column !== start; column = came[column]) owner[column] = owner[came[column]];
  owner[start] = -1;
}
