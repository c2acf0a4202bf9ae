// Small linear algebra in double precision: matrices are lists of rows.

/** @typedef {number[][]} Matrix */

/**
 * Return the product of two matrices.
 * @param {Matrix} one
 * @param {Matrix} other
 * @returns {Matrix}
 */
export function product(one, other) {
  return one.map((row) => other[0].map((_, column) => row.reduce((sum, value, place) => sum + value * other[place][column], 0)));
}

/**
 * Return the product of a matrix and a vector.
 * @param {Matrix} matrix
 * @param {number[]} vector
 */
export function times(matrix, vector) {
  return matrix.map((row) => row.reduce((sum, value, place) => sum + value * vector[place], 0));
}

/**
 * Return a matrix with its rows as columns.
 * @param {Matrix} matrix
 * @returns {Matrix}
 */
export function transposed(matrix) {
  return matrix[0].map((_, column) => matrix.map((row) => row[column]));
}

/**
 * Return the mean of some rows.
 * @param {Matrix} rows
 */
export function meanRow(rows) {
  return rows[0].map((_, column) => rows.reduce((sum, row) => sum + row[column], 0) / rows.length);
}

/**
 * Return the vector product of two vectors of three numbers.
 * @param {number[]} one
 * @param {number[]} other
 */
export function cross([a, b, c], [x, y, z]) {
  return [b * z - c * y, c * x - a * z, a * y - b * x];
}

/**
 * Return the least-squares solution of rows of equations, by the normal equations; null if they do not determine it.
 * @param {Matrix} rows
 * @param {Matrix} targets One row for each equation, one column for each solution.
 * @returns {Matrix | null} One row for each unknown.
 */
export function leastSquares(rows, targets) {
  const turned = transposed(rows);
  return solve(product(turned, rows), product(turned, targets));
}

/**
 * Solve linear equations by Gaussian elimination with pivots.
 * @param {Matrix} matrix Square.
 * @param {Matrix} targets
 * @returns {Matrix | null}
 */
function solve(matrix, targets) {
  const rows = matrix.map((row, place) => [...row, ...targets[place]]);
  const count = rows.length;
  for (let column = 0; column < count; column++) {
    let best = column;
    for (let row = column + 1; row < count; row++) if (Math.abs(rows[row][column]) > Math.abs(rows[best][column])) best = row;
    [rows[column], rows[best]] = [rows[best], rows[column]];
    const pivot = rows[column][column];
    if (!(Math.abs(pivot) > 0)) return null; // NaN is none either
    for (let row = 0; row < count; row++) {
      if (row === column) continue;
      const share = rows[row][column] / pivot;
      for (let place = column; place < rows[row].length; place++) rows[row][place] -= share * rows[column][place];
    }
  }
  return rows.map((row, place) => row.slice(count).map((value) => value / row[place]));
}
