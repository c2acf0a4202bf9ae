// Rotations of heads: vectors, matrices and angles, as geometry.py and OpenCV have them.

import { cross, product } from "./small_matrix.js";

/** @import { Matrix } from "./small_matrix.js" */

/** Length of a rotation vector in radians below which it turns nothing. */
const STILL = 2.220446049250313e-16;

/**
 * Return the matrix by which a vector product is taken.
 * @param {number[]} vector
 * @returns {Matrix}
 */
function crossMatrix([x, y, z]) {
  return [[0, -z, y], [z, 0, -x], [-y, x, 0]];
}

/**
 * Return the matrix of a rotation vector (Rodrigues): its axis, as long as its angle in radians.
 * @param {number[]} vector
 * @returns {Matrix}
 */
export function matrixOfVector(vector) {
  const angle = Math.hypot(...vector);
  const identity = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  if (angle < STILL) return identity;
  const axis = vector.map((value) => value / angle);
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const across = crossMatrix(axis);
  return identity.map((row, y) => row.map((one, x) => cosine * one + (1 - cosine) * axis[y] * axis[x] + sine * across[y][x]));
}

/**
 * Return the rotation vector of a matrix.
 * @param {Matrix} matrix
 */
export function vectorOfMatrix(matrix) {
  const axis = [matrix[2][1] - matrix[1][2], matrix[0][2] - matrix[2][0], matrix[1][0] - matrix[0][1]].map((value) => value / 2);
  const sine = Math.hypot(...axis);
  const cosine = (matrix[0][0] + matrix[1][1] + matrix[2][2] - 1) / 2;
  const angle = Math.atan2(sine, cosine);
  if (sine > 1e-5) return axis.map((value) => (value * angle) / sine);
  return cosine > 0 ? [0, 0, 0] : vectorOfHalfTurn(matrix);
}

/**
 * Return the rotation vector of half a turn, whose axis the diagonal tells.
 * @param {Matrix} matrix
 */
function vectorOfHalfTurn(matrix) {
  const axis = [0, 1, 2].map((place) => Math.sqrt(Math.max((matrix[place][place] + 1) / 2, 0)));
  if (matrix[0][1] < 0) axis[1] = -axis[1];
  if (matrix[0][2] < 0) axis[2] = -axis[2];
  if (Math.abs(axis[0]) < Math.abs(axis[1]) && Math.abs(axis[0]) < Math.abs(axis[2]) && matrix[1][2] > 0 !== axis[1] * axis[2] > 0) axis[2] = -axis[2];
  const length = Math.hypot(...axis);
  return axis.map((value) => (value * Math.PI) / length);
}

/**
 * Return how the matrix of a rotation vector changes with each of the vector's numbers: three matrices.
 * @param {number[]} vector
 * @param {Matrix} matrix The vector's.
 */
export function slopesOfMatrix(vector, matrix) {
  const square = vector.reduce((sum, value) => sum + value * value, 0);
  return [0, 1, 2].map((place) => {
    const unit = [0, 1, 2].map((one) => Number(one === place));
    if (square < STILL) return crossMatrix(unit);
    const rest = unit.map((value, row) => value - matrix[row][place]);
    const [along, away] = [crossMatrix(vector), crossMatrix(cross(vector, rest))];
    return product(along.map((row, y) => row.map((value, x) => (vector[place] * value + away[y][x]) / square)), matrix);
  });
}

/**
 * Return the rotation matrix of a head pose: pitch first, then yaw and roll.
 * @param {ArrayLike<number>} pose Yaw, pitch and roll in degrees.
 * @returns {Matrix} In single precision.
 */
export function rotationOf(pose) {
  const [turn, nod, tilt] = [-pose[0], -pose[1], pose[2]].map((degrees) => degrees * (Math.PI / 180));
  const aboutX = [[1, 0, 0], [0, Math.cos(nod), -Math.sin(nod)], [0, Math.sin(nod), Math.cos(nod)]];
  const aboutY = [[Math.cos(turn), 0, Math.sin(turn)], [0, 1, 0], [-Math.sin(turn), 0, Math.cos(turn)]];
  const aboutZ = [[Math.cos(tilt), -Math.sin(tilt), 0], [Math.sin(tilt), Math.cos(tilt), 0], [0, 0, 1]];
  return product(product(aboutZ, aboutY), aboutX).map((row) => row.map(Math.fround));
}

/**
 * Return yaw, pitch and roll of a rotation matrix in degrees, the inverse of `rotationOf`.
 * @param {Matrix} rotation
 */
export function anglesOf(rotation) {
  const yaw = Math.asin(Math.min(Math.max(rotation[2][0], -1), 1));
  const pitch = -Math.atan2(rotation[2][1], rotation[2][2]);
  const roll = Math.atan2(rotation[1][0], rotation[0][0]);
  return Float32Array.of(...[yaw, pitch, roll].map((angle) => angle * (180 / Math.PI)));
}
