// Head pose: a generic 3-D face is fitted to 68 landmarks under a pinhole camera model, as stages/pose.py does.

import { anglesOf, matrixOfVector, slopesOfMatrix, vectorOfMatrix } from "./rotation.js";
import { cross, leastSquares, meanRow, product, times } from "./small_matrix.js";

/**
 * @import { Floats } from "./geometry.js"
 * @import { Matrix } from "./small_matrix.js"
 */

/** Landmarks that are fitted: the upper ends of the jaw, nose and eyes. */
const FITTED = [0, 1, 2, 3, 13, 14, 15, 16, ...Array.from({ length: 21 }, (_, place) => 27 + place)];

/** Weight along the face of the ends of the jaw, which slide when a head nods. */
const JAW_WEIGHT = 0.3;

/** Number of the landmarks of the jaw among `FITTED`. */
const JAW = 8;

/** Smallest distance of a face from the camera, in units of its larger extent. */
const NEAREST = 6;

/** Smallest ratio of the two extents of landmarks; below it they lie on a line. */
const MIN_RATIO = 1e-3;

/** Smallest extent of landmarks in pixels. */
const MIN_EXTENT = 0.1;

/** Largest coordinate of landmarks in pixels. */
const MAX_COORDINATE = 1e8;

/** Iterations of the Gauss-Newton fit. */
const ITERATIONS = 5;

/**
 * Return yaw, pitch and roll of a head in degrees, relative to the line from the camera to the face; null if the points are
 * not a face.
 * @param {Floats} points x and y of 68 landmarks in pixels.
 * @param {{ width: number, height: number }} size Of the image.
 * @param {Matrix} face The generic face: 68 rows of x, y and z.
 */
export function estimatePose(points, { width, height }, face) {
  const rows = Array.from({ length: points.length / 2 }, (_, place) => [points[2 * place], points[2 * place + 1]]);
  if (!hasExtent(FITTED.map((place) => rows[place])) || !hasExtent(rows)) return null;
  const [across, down] = [0, 1].map((axis) => rangeOf(rows.map((row) => row[axis])));
  const focal = Math.max(width, height, NEAREST * Math.max(across, down));
  const normalized = rows.map(([x, y]) => [(x - width / 2) / focal, (y - height / 2) / focal]);
  const [right, left] = [normalized[36], normalized[45]];
  const tilt = rollMatrix(Math.atan2(left[1] - right[1], left[0] - right[0]));
  const upright = normalized.map(([x, y]) => [x * tilt[0][0] + y * tilt[1][0], x * tilt[0][1] + y * tilt[1][1]]);
  const fitted = fit(FITTED.map((place) => upright[place]), FITTED.map((place) => face[place]));
  if (!fitted) return null;
  return anglesOf(product(product(turnToAxis(times(tilt, fitted.place)), tilt), fitted.turn));
}

/** @param {number[]} values */
function rangeOf(values) {
  return Math.max(...values) - Math.min(...values);
}

/**
 * Return whether points are finite and extend in two directions.
 * @param {Matrix} rows
 */
function hasExtent(rows) {
  if (!rows.flat().every((value) => Math.abs(value) < MAX_COORDINATE)) return false;
  const middle = meanRow(rows);
  let [xx, xy, yy] = [0, 0, 0];
  for (const [x, y] of rows) {
    xx += (x - middle[0]) ** 2;
    xy += (x - middle[0]) * (y - middle[1]);
    yy += (y - middle[1]) ** 2;
  }
  const spread = Math.hypot((xx - yy) / 2, xy); // singular values are the roots of the eigenvalues of the squares
  const first = Math.sqrt((xx + yy) / 2 + spread);
  const second = Math.sqrt(Math.max((xx + yy) / 2 - spread, 0));
  return first > MIN_EXTENT && second > MIN_RATIO * first;
}

/**
 * Return the rotation and position of a face that fit points best, by the Gauss-Newton method from a fit without
 * perspective; null if the fit fails.
 * @param {Matrix} points Upright, relative to the optical axis, in units of the focal length.
 * @param {Matrix} face
 */
function fit(points, face) {
  const first = fitWithoutPerspective(face, points);
  if (!first) return null;
  let [turn, place] = [first.turn, first.place];
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const { rows, residual } = equations(points, face, turn, place);
    if (!residual.flat().every(Number.isFinite) || !rows.flat().every(Number.isFinite) || !(place[2] > 0)) return null;
    const step = leastSquares(rows, residual)?.flat();
    if (!step) return null;
    turn = turn.map((value, axis) => value + step[axis]);
    place = place.map((value, axis) => value + step[3 + axis]);
  }
  return { turn: matrixOfVector(turn), place };
}

/**
 * Return the weighted slopes of the projected points by the three numbers of the rotation vector and of the position, and
 * how far the points lie away.
 * @param {Matrix} points
 * @param {Matrix} face
 * @param {number[]} turn
 * @param {number[]} place
 */
function equations(points, face, turn, place) {
  const matrix = matrixOfVector(turn);
  const slopes = slopesOfMatrix(turn, matrix);
  /** @type {{ rows: Matrix, residual: Matrix }} */
  const { rows, residual } = { rows: [], residual: [] };
  face.forEach((corner, index) => {
    const [x, y, z] = times(matrix, corner).map((value, axis) => value + place[axis]);
    const turned = slopes.map((slope) => times(slope, corner));
    const moves = [...turned, [1, 0, 0], [0, 1, 0], [0, 0, 1]];
    const weight = index < JAW ? JAW_WEIGHT : 1;
    rows.push(moves.map(([dx, , dz]) => (dx - (dz * x) / z) / z), moves.map(([, dy, dz]) => (weight * (dy - (dz * y) / z)) / z));
    residual.push([points[index][0] - x / z], [weight * (points[index][1] - y / z)]);
  });
  return { rows, residual };
}

/**
 * Return the rotation vector and position of a face by a scaled orthographic projection.
 * @param {Matrix} face
 * @param {Matrix} points
 */
function fitWithoutPerspective(face, points) {
  const [middle, target] = [meanRow(face), meanRow(points)];
  const shape = face.map((row) => row.map((value, axis) => value - middle[axis]));
  const moved = points.map((row) => row.map((value, axis) => value - target[axis]));
  const solved = leastSquares(shape, moved);
  if (!solved) return null;
  const [one, other] = [0, 1].map((axis) => solved.map((row) => row[axis])); // images of x, y and z across and down
  const dot = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.reduce((sum, value, axis) => sum + value * b[axis], 0);
  const [aa, ab, bb] = [dot(one, one), dot(one, other), dot(other, other)];
  const root = Math.sqrt(Math.max(aa * bb - ab * ab, 0));
  const sizes = Math.sqrt(aa + bb + 2 * root); // the sum of both singular values
  const share = root * sizes; // the nearest rows of length 1 at right angles, by the inverse root of a 2 x 2 matrix
  const across = one.map((value, axis) => ((bb + root) * value - ab * other[axis]) / share);
  const down = other.map((value, axis) => ((aa + root) * value - ab * one[axis]) / share);
  const turn = [across, down, cross(across, down)];
  const away = times(turn, middle);
  const place = [...target, 1].map((value, axis) => value / (sizes / 2) - away[axis]);
  return { turn: vectorOfMatrix(turn), place };
}

/**
 * Return the rotation about the optical axis by an angle in radians, clockwise in the image.
 * @param {number} angle
 * @returns {Matrix}
 */
function rollMatrix(angle) {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return [[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]];
}

/**
 * Return the smallest rotation that moves a position in front of the camera onto its optical axis.
 * @param {number[]} place
 * @returns {Matrix}
 */
function turnToAxis(place) {
  const [x, y, z] = place.map((value) => value / Math.hypot(...place));
  const shared = 1 / (1 + z);
  return [[1 - x * x * shared, -x * y * shared, -x], [-x * y * shared, 1 - y * y * shared, -y], [x, y, z]];
}
