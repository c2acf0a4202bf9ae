// The pixels of a frontalized face: edge strengths and grey levels by cell, open eyes, the mouth's detail, as
// action_units/texture.py has them.

import { convexHull, fillConvex } from "./convex_fill.js";
import { clamp, cutOut, greyOf } from "./pixels.js";
import { cutSquare } from "./squares.js";

/**
 * @import { Floats } from "./geometry.js"
 * @import { Frontal } from "./frontal.js"
 * @import { Picture } from "./pixels.js"
 * @import { Matrix } from "./small_matrix.js"
 * @import { Point } from "./convex_fill.js"
 */

/** Pixels of a patch's side. */
const PATCH = 60;

/** Cells along a patch's side. */
const CELLS = 10;

/** Pixels of a cell's side. */
const CELL = PATCH / CELLS;

/** How many directions of edges are distinguished. */
const DIRECTIONS = 8;

/** Pixels between the outer eye corners in a patch. */
const RESOLUTION = 24;

/** How far above the eyes the patch begins, in units of the distance of the outer eye corners. */
const ABOVE = 0.75;

/** Half the width and height of the region of an eye, in pixels of a patch. */
const EYE = [0.13 * RESOLUTION, 0.11 * RESOLUTION];

/** Landmarks of the subject's right and left eye, of the outline of the lips, and of brows, nose and eyes. */
const PARTS = { rightEye: [36, 42], leftEye: [42, 48], lips: [48, 60], upperFace: [17, 48] };

/** Grey levels that are added to the edges of the upper face as a divisor. */
const FAINT_DETAIL = 0.5;

/** Smallest strength of edges as a divisor. */
const FAINT = 1e-3;

/** Turns the sum of two perpendicular differences into the difference along their diagonal. */
const DIAGONAL = Math.fround(Math.sqrt(0.5));

/** Number of each direction's counterpart in the mirror image. */
const MIRRORED_DIRECTIONS = [4, 1, 3, 2, 0, 5, 7, 6];

/**
 * Cut a frontalized face out of an image; only the part around the face is converted to grey.
 * @param {Picture} image
 * @param {Floats} points x and y of its 68 landmarks.
 * @param {Frontal} face
 */
export function cutPatch(image, points, { plane }) {
  const [first, last] = [Math.min, Math.max].map((pick) => [0, 1].map((axis) => pick(...points.filter((_, at) => at % 2 === axis))));
  const room = Math.fround(Math.max(Math.fround(last[0] - first[0]), Math.fround(last[1] - first[1])) / 2);
  const sides = [image.width, image.height];
  const [x1, y1] = [0, 1].map((axis) => Math.trunc(clamp(Math.fround(first[axis] - room), 0, sides[axis] - 2)));
  const [x2, y2] = [0, 1].map((axis) => Math.trunc(clamp(Math.fround(last[axis] + room), [x1, y1][axis] + 2, sides[axis])));
  const grey = greyOf(cutOut(image, x1, y1, x2 - x1, y2 - y1));
  const corner = [0.5 - PATCH / 2, 0.5 - ABOVE * RESOLUTION];
  const frame = plane.flatMap(([a, b, c], axis) => {
    const [along, down] = [a / RESOLUTION, b / RESOLUTION];
    return [along, down, c - [x1, y1][axis] + along * corner[0] + down * corner[1]];
  });
  return cutSquare(grey, Float32Array.from(frame), PATCH).data;
}

/**
 * Return the texture features of both halves of a patch: for each cell, from the top and from the outside, the root of the
 * mean edge strength in each direction, and the mean grey level.
 * @param {Uint8Array} patch
 * @returns {[Float64Array, Float64Array]} The subject's right half and the mirrored left half.
 */
export function textureOf(patch) {
  const cells = pooled(patch);
  const strength = meanOf(cells, 1, DIRECTIONS, (cell, direction) => cell[direction]) + 0.5;
  const middle = (/** @type {(grey: number) => number} */ value) => meanOf(cells, 2, 1, (cell) => value(cell[DIRECTIONS]));
  const mean = middle((grey) => grey);
  const spread = Math.sqrt(middle((grey) => (grey - mean) ** 2)) + 4;
  for (const cell of cells) {
    for (let direction = 0; direction < DIRECTIONS; direction++) cell[direction] = Math.sqrt(cell[direction] / strength);
    cell[DIRECTIONS] = (cell[DIRECTIONS] - mean) / spread;
  }
  const halves = [new Float64Array((CELLS * CELLS * (DIRECTIONS + 1)) / 2), new Float64Array((CELLS * CELLS * (DIRECTIONS + 1)) / 2)];
  for (let row = 0, to = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS / 2; column++, to += DIRECTIONS + 1) {
      const [right, left] = [cells[row * CELLS + column], cells[row * CELLS + CELLS - 1 - column]];
      halves[0].set(right, to);
      halves[1].set([...MIRRORED_DIRECTIONS.map((direction) => left[direction]), left[DIRECTIONS]], to);
    }
  }
  return [halves[0], halves[1]];
}

/**
 * Return, for each cell, the mean strength of rising and then of falling edges in four directions, and the mean grey level.
 * @param {Uint8Array} patch
 */
function pooled(patch) {
  const share = Math.fround(1 / (CELL * CELL));
  return Array.from({ length: CELLS * CELLS }, (_, index) => {
    const [signed, strong] = [new Float32Array(4), new Float32Array(4)];
    let grey = 0;
    for (let pixel = 0; pixel < CELL * CELL; pixel++) {
      const x = (index % CELLS) * CELL + (pixel % CELL);
      const y = Math.floor(index / CELLS) * CELL + Math.floor(pixel / CELL);
      const at = y * PATCH + x;
      const across = x > 0 && x < PATCH - 1 ? patch[at + 1] - patch[at - 1] : 0;
      const down = y > 0 && y < PATCH - 1 ? patch[at + PATCH] - patch[at - PATCH] : 0;
      [across, down, (across + down) * DIAGONAL, (down - across) * DIAGONAL].forEach((edge, direction) => {
        signed[direction] += edge;
        strong[direction] += Math.abs(edge);
      });
      grey += patch[at];
    }
    const sides = [1, -1].flatMap((side) => Array.from(strong, (value, direction) => Math.max((value + side * signed[direction]) * share, 0) / 2));
    return Float64Array.of(...sides, grey * share);
  });
}

/**
 * Return the mean over the cells that are `edge` columns and one row away from the edges.
 * @param {Float64Array[]} cells
 * @param {number} edge
 * @param {number} count Numbers of each cell.
 * @param {(cell: Float64Array, place: number) => number} value
 */
function meanOf(cells, edge, count, value) {
  let [sum, taken] = [0, 0];
  cells.forEach((cell, index) => {
    const [row, column] = [Math.floor(index / CELLS), index % CELLS];
    if (row < 1 || row >= CELLS - 1 || column < edge || column >= CELLS - edge) return;
    for (let place = 0; place < count; place++, taken++) sum += value(cell, place);
  });
  return sum / taken;
}

/**
 * Return how open the subject's right and left eye look: the mean strength of vertical edges around the eye, in units of all
 * edges of the face.
 * @param {Uint8Array} patch
 * @param {Frontal} face
 */
export function opennessOf(patch, { shape }) {
  const across = (/** @type {number} */ x, /** @type {number} */ y) => Math.abs(patch[y * PATCH + x + 1] - patch[y * PATCH + x - 1]);
  const down = (/** @type {number} */ x, /** @type {number} */ y) => Math.abs(patch[(y + 1) * PATCH + x] - patch[(y - 1) * PATCH + x]);
  let sum = 0;
  for (let y = CELLS; y < PATCH - CELLS; y++) for (let x = CELLS; x < PATCH - CELLS; x++) sum += across(x, y) + down(x, y);
  const usual = sum / (PATCH - 2 * CELLS) ** 2 + FAINT;
  return [PARTS.rightEye, PARTS.leftEye].map(([first, end]) => {
    const points = shape.slice(first, end);
    const [near, low] = [0, 1].map((axis) => nearnessOf(placeOf(points.reduce((total, row) => total + row[axis], 0) / points.length, axis), EYE[axis]));
    let strength = 0;
    for (let y = 0; y < PATCH; y++) {
      let row = 0;
      for (let x = 1; x < PATCH - 1; x++) row += across(x, y) * near[x];
      strength += row * low[y];
    }
    return strength / usual;
  });
}

/**
 * Return the weight of each pixel of a side by its distance from a place; their sum is 1.
 * @param {number} place
 * @param {number} reach
 */
function nearnessOf(place, reach) {
  const near = Float64Array.from({ length: PATCH }, (_, pixel) => Math.exp(-(((pixel - place) / reach) ** 4)));
  const sum = near.reduce((total, value) => total + value, 0) + FAINT;
  return near.map((value) => value / sum);
}

/**
 * Return a coordinate of a frontalized face in pixels of its patch.
 * @param {number} value
 * @param {number} axis 0 across, 1 down.
 */
function placeOf(value, axis) {
  return value * RESOLUTION + (axis ? ABOVE * RESOLUTION : PATCH / 2) - 0.5;
}

/**
 * Return the mean strength of edges between the lips' outlines, in units of that of brows, eyes and nose.
 * @param {Uint8Array} patch
 * @param {Frontal} face
 */
export function mouthDetailOf(patch, { shape }) {
  const [mouth, rest] = [PARTS.lips, PARTS.upperFace].map(([first, end]) => {
    const points = shape.slice(first, end).map((row) => /** @type {Point} */ (row.map((value, axis) => Math.fround(clamp(placeOf(value, axis), 0, PATCH - 1)))));
    const corners = convexHull(points).map(([x, y]) => /** @type {Point} */ ([Math.trunc(x), Math.trunc(y)]));
    let [sum, count] = [0, 0];
    fillConvex(corners, PATCH).forEach((inside, at) => {
      if (!inside) return;
      sum += strengthAt(patch, at);
      count += 1;
    });
    return sum / count;
  });
  return mouth / (rest + FAINT_DETAIL);
}

/**
 * Return the strength of the edge at a pixel, 0 at the patch's own edge.
 * @param {Uint8Array} patch
 * @param {number} at
 */
function strengthAt(patch, at) {
  const [x, y] = [at % PATCH, Math.floor(at / PATCH)];
  if (x < 1 || y < 1 || x >= PATCH - 1 || y >= PATCH - 1) return 0;
  return Math.hypot(patch[at + 1] - patch[at - 1], patch[at + PATCH] - patch[at - PATCH]);
}
