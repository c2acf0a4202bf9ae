// Frontalized landmarks: position, size and pose are removed, as stages/action_units/frontal.py does.

import { rotationOf } from "./rotation.js";
import { meanRow } from "./small_matrix.js";

/**
 * @import { Floats } from "./geometry.js"
 * @import { Matrix } from "./small_matrix.js"
 *
 * A frontalized face: 68 landmarks, and the (2, 3) affine matrix from their coordinates, at the depth of the eyes, to
 * pixels of the image. The origin is midway between the outer eye corners of the generic face, whose distance is 1.
 * @typedef {{ shape: Matrix, plane: Matrix }} Frontal
 */

/** Landmarks that fix position and size: corners of the eyes, and nose. */
const STILL = [36, 39, 42, 45, 27, 28, 29, 30, 31, 35];

/** Landmarks at whose mean depth all pixels are assumed to lie: brows, eyes, corners of the mouth. */
const PLANE = [21, 22, 36, 39, 42, 45, 48, 54];

/**
 * Return the numbers of an ascending or descending run.
 * @param {number} first
 * @param {number} last
 */
function run(first, last) {
  return Array.from({ length: Math.abs(last - first) + 1 }, (_, place) => (first < last ? first + place : first - place));
}

/** Number of each landmark's counterpart in the mirrored face. */
const MIRRORED = [
  ...run(16, 0), ...run(26, 17), ...run(27, 30), ...run(35, 31), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
  ...run(54, 48), ...run(59, 55), ...run(64, 60), 67, 66, 65,
];

/**
 * Remove the pose from landmarks: rotate the generic face like the head, and rotate the differences back.
 * @param {Floats} points x and y of 68 landmarks in pixels.
 * @param {Floats} pose Yaw, pitch and roll in degrees.
 * @param {Matrix} face The generic face: 68 rows of x, y and z.
 * @returns {Frontal}
 */
export function frontal(points, pose, face) {
  const [across, down] = rotationOf(pose);
  const project = (/** @type {number[]} */ row) => [across, down].map((axis) => axis.reduce((sum, value, place) => sum + value * row[place], 0));
  const expected = STILL.map((place) => project(face[place]));
  const measured = STILL.map((place) => [points[2 * place], points[2 * place + 1]]);
  const [middle, target] = [meanRow(expected), meanRow(measured)];
  let [both, own] = [0, 0];
  expected.forEach((row, index) => row.forEach((value, axis) => {
    both += (value - middle[axis]) * (measured[index][axis] - target[axis]);
    own += (value - middle[axis]) ** 2;
  }));
  const scale = both / own;
  const shift = target.map((value, axis) => value - scale * middle[axis]);
  const determinant = across[0] * down[1] - across[1] * down[0];
  const shape = face.map(([, , z], place) => {
    const x = (points[2 * place] - shift[0]) / scale - z * across[2];
    const y = (points[2 * place + 1] - shift[1]) / scale - z * down[2];
    return [(down[1] * x - across[1] * y) / determinant, (across[0] * y - down[0] * x) / determinant];
  });
  const depth = PLANE.reduce((sum, place) => sum + face[place][2], 0) / PLANE.length;
  const plane = [across, down].map(([x, y, z], axis) => [scale * x, scale * y, shift[axis] + scale * depth * z]);
  return { shape, plane };
}

/**
 * Return a shape and its mirror image, so that a measure of the right side measures both sides.
 * @param {Matrix} shape
 */
export function halvesOf(shape) {
  return [shape, MIRRORED.map((place) => [-shape[place][0], shape[place][1]])];
}
