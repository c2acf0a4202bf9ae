// Which pixels lie in the convex hull of some points, as OpenCV's convexHull and fillConvexPoly say.

/** Fixed-point one of a place between two pixels: 16 bits, as in OpenCV. */
const ONE = 65536;

/** @typedef {[x: number, y: number]} Point */

/**
 * Return the corners of the convex hull of points, in order; points on its sides are left out.
 * @param {Point[]} points
 * @returns {Point[]}
 */
export function convexHull(points) {
  const sorted = [...points].sort(([ax, ay], [bx, by]) => ax - bx || ay - by);
  const [lower, upper] = [chainOf(sorted), chainOf([...sorted].reverse())];
  const hull = [...lower.slice(0, -1), ...upper.slice(0, -1)];
  return hull.length ? hull : sorted.slice(0, 1);
}

/**
 * Return the points of one side of a hull.
 * @param {Point[]} points In order.
 */
function chainOf(points) {
  /** @type {Point[]} */
  const chain = [];
  for (const point of points) {
    while (chain.length > 1 && !turnsLeft(chain[chain.length - 2], chain[chain.length - 1], point)) chain.pop();
    chain.push(point);
  }
  return chain;
}

/**
 * @param {Point} one
 * @param {Point} other
 * @param {Point} third
 */
function turnsLeft([ax, ay], [bx, by], [cx, cy]) {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) > 0;
}

/**
 * Return which pixels of a square lie in a convex polygon, with its outline.
 * @param {Point[]} corners Whole numbers within the square.
 * @param {number} size Pixels of the square's side.
 * @returns {Uint8Array} 1 inside, row by row.
 */
export function fillConvex(corners, size) {
  const mask = new Uint8Array(size * size);
  const sides = corners.map((corner, index) => /** @type {[Point, Point]} */ ([corners[(index || corners.length) - 1], corner]));
  for (const [from, to] of sides) drawLine(mask, size, from, to);
  if (corners.length < 3) return mask;
  const rows = corners.map(([, y]) => y);
  for (let y = Math.min(...rows); y < Math.max(...rows); y++) {
    const places = sides.flatMap(([from, to]) => placeInRow(from, to, y));
    const [left, right] = [Math.min(...places), Math.max(...places)].map((place) => Math.floor((place + ONE / 2) / ONE));
    if (places.length) mask.fill(1, y * size + Math.max(left, 0), y * size + Math.min(right, size - 1) + 1);
  }
  return mask;
}

/**
 * Return where a side crosses a row, in fixed point; nothing if it does not.
 * @param {Point} from
 * @param {Point} to
 * @param {number} y
 */
function placeInRow(from, to, y) {
  const [[x1, y1], [x2, y2]] = from[1] < to[1] ? [from, to] : [to, from];
  if (y < y1 || y >= y2) return [];
  const step = Math.trunc(((x2 - x1) * ONE * 2 + (y2 - y1)) / (2 * (y2 - y1)));
  return [x1 * ONE + step * (y - y1)];
}

/**
 * Draw a line of 8-connected pixels, from its left end.
 * @param {Uint8Array} mask
 * @param {number} size
 * @param {Point} from
 * @param {Point} to
 */
function drawLine(mask, size, from, to) {
  const [[x1, y1], [x2, y2]] = from[0] <= to[0] ? [from, to] : [to, from];
  const [across, down, side] = [x2 - x1, Math.abs(y2 - y1), Math.sign(y2 - y1)];
  const [long, short] = [Math.max(across, down), Math.min(across, down)];
  let [x, y, error] = [x1, y1, long - 2 * short];
  for (let step = 0; step <= long; step++) {
    mask[y * size + x] = 1;
    const both = error < 0;
    error += (both ? 2 * long : 0) - 2 * short;
    if (across >= down || both) x += 1;
    if (across < down || both) y += side;
  }
}
