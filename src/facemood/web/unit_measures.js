// Measures of each action unit on landmarks, before the comparison with neutral faces, as action_units/measures.py has them.

/** @import { Matrix } from "./small_matrix.js" */

/** Smallest width of an eye as a divisor, in units of the distance of the outer eye corners. */
const MIN_EYE_WIDTH = 1e-3;

/**
 * Measure each unit on the subject's right side of a frontalized shape; larger values mean a stronger unit. For the left
 * side, pass the mirrored shape.
 * @param {Matrix} shape 68 rows of x and y.
 * @returns {Record<string, number>} By the units' codes.
 */
export function measureSide(shape) {
  const [x, y] = [0, 1].map((axis) => shape.map((row) => row[axis]));
  const down = (/** @type {number[]} */ ...points) => points.reduce((sum, point) => sum + y[point], 0) / points.length;
  const [inner, outer] = [-down(20, 21), -down(17, 18, 19)];
  const [upper, lower] = [down(37, 38), down(40, 41)];
  const [corner, wide, wing, long] = [y[48], -x[48], down(31, 32), y[8] - y[33]];
  const [top, above, under, bottom] = [down(49, 50, 51), down(61, 62), down(66, 67), down(57, 58)]; // the lips' edges
  const [gap, openEye] = [under - above, lower - upper];
  const [lift, raised] = [top - corner, (above + under) / 2 - corner];
  const thin = top - above + under - bottom;
  return {
    AU01: inner,
    AU02: outer,
    AU04: -inner + x[21],
    AU05: openEye,
    AU06: -lower,
    AU07: -openEye,
    AU09: -wing - inner,
    AU10: wing - top,
    AU12: wide + lift + raised / 2,
    AU14: wide - 2 * lift - gap,
    AU15: -raised - wide / 2,
    AU16: bottom - corner,
    AU17: bottom - y[8],
    AU20: wide - 2 * lift - raised,
    AU23: thin - wide / 2,
    AU24: thin - gap - wide / 2,
    AU25: gap,
    AU26: gap + long,
    AU27: gap - 1.5 * wide,
    AU43: -openEye / Math.max(x[39] - x[36], MIN_EYE_WIDTH),
  };
}
