// Where the crop of a face lies, as stages/align.py says: upright about the eye line, or by a detector's box.

import { POINT_VALUES } from "./geometry.js";
import { cutOut, roundHalfEven } from "./pixels.js";
import { cutSquare } from "./squares.js";

/** @typedef {import("./pixels.js").Picture} Picture */

/**
 * The square of an image that a crop shows: its box before it is turned about its centre, and its tilt in degrees,
 * clockwise in the image.
 * @typedef {{ box: Float32Array, tilt: number }} CropSquare
 */

/**
 * A crop: left, top, right, bottom, in units of a detector's box or of the landmarks' size.
 * @typedef {readonly number[]} Framing
 */

/** Framing of a detector's box itself. */
const WHOLE_BOX = [0, 0, 1, 1];

/** Longest side in pixels of a crop that is turned upright; larger faces are shrunk. */
const LARGEST_CROP = 512;

/** Smallest size of landmarks in pixels. */
const TINY = 1e-9;

/**
 * Return the square that a network's crop of a face shows.
 * @param {{ box: Float32Array, points: Float32Array | null }} face Its box, and x and y of its 68 landmarks.
 * @param {Readonly<Record<string, Framing>>} framing From the network's card.
 * @param {string} detector The detector that found the face.
 * @returns {CropSquare}
 */
export function squareOf(face, framing, detector) {
  if ("landmarks" in framing && face.points?.length === POINT_VALUES) {
    return squareOfPoints(face.points, framing.landmarks);
  }
  return { box: frameBox(face.box, framing[detector] ?? WHOLE_BOX), tilt: 0 };
}

/**
 * Return the square crop for a detector's box, centred in the framed region.
 * @param {Float32Array} box x1 y1 x2 y2.
 * @param {Framing} framing
 */
export function frameBox(box, framing) {
  const [width, height] = [Math.fround(box[2] - box[0]), Math.fround(box[3] - box[1])];
  const edges = Float32Array.of(
    box[0] + Math.fround(width * Math.fround(framing[0])),
    box[1] + Math.fround(height * Math.fround(framing[1])),
    box[0] + Math.fround(width * Math.fround(framing[2])),
    box[1] + Math.fround(height * Math.fround(framing[3])),
  );
  const sides = Math.fround(Math.fround(edges[2] - edges[0]) + Math.fround(edges[3] - edges[1]));
  const half = Math.fround(sides / 4);
  const [x, y] = [Math.fround(edges[0] + edges[2]) / 2, Math.fround(edges[1] + edges[3]) / 2];
  return Float32Array.of(x - half, y - half, x + half, y + half);
}

/**
 * Return the upright square crop for a face's landmarks.
 * @param {Float32Array} points x and y of 68 landmarks in iBUG order.
 * @param {Framing} framing From the mean of the landmarks, in units of their size, along and across the eye line.
 * @returns {CropSquare}
 */
export function squareOfPoints(points, framing) {
  const { x, y, size, turn } = placeOfPoints(points);
  const [left, top, right, bottom] = framing;
  const [across, down] = [((left + right) / 2) * size, ((top + bottom) / 2) * size];
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
  const [middleX, middleY] = [x + cosine * across - sine * down, y + sine * across + cosine * down];
  const half = Math.max(((right - left + bottom - top) / 4) * size, 0.5);
  return {
    box: Float32Array.of(middleX - half, middleY - half, middleX + half, middleY + half),
    tilt: (turn * 180) / Math.PI,
  };
}

/**
 * Return where a face's landmarks are (their mean), how large (root mean square distance from it), and the angle of the
 * eye line in radians, clockwise in the image.
 * @param {Float32Array} points x and y of 68 landmarks.
 */
function placeOfPoints(points) {
  const [x, y] = meanOf(points, 0, 68);
  let squares = 0;
  for (let at = 0; at < POINT_VALUES; at += 2) squares += (points[at] - x) ** 2 + (points[at + 1] - y) ** 2;
  const [right, left] = [meanOf(points, 36, 42), meanOf(points, 42, 48)];
  const turn = Math.atan2(left[1] - right[1], left[0] - right[0]);
  return { x, y, size: Math.max(Math.sqrt(squares / 68), TINY), turn };
}

/**
 * Return the mean of some landmarks.
 * @param {Float32Array} points
 * @param {number} first
 * @param {number} end
 */
function meanOf(points, first, end) {
  let [x, y] = [0, 0];
  for (let index = first; index < end; index++) {
    x += points[2 * index];
    y += points[2 * index + 1];
  }
  return [x / (end - first), y / (end - first)];
}

/**
 * Return the affine matrix from the pixels of a crop of some size to the pixels of the image.
 * @param {CropSquare} square
 * @param {number} size
 */
export function matrixOf({ box, tilt }, size) {
  const turn = (tilt * Math.PI) / 180;
  const scale = Math.fround(box[2] - box[0]) / size;
  const [cosine, sine] = [scale * Math.cos(turn), scale * Math.sin(turn)];
  const middle = size / 2 - 0.5;
  const x = Math.fround(Math.fround(box[0] + box[2]) / 2 - 0.5);
  const y = Math.fround(Math.fround(box[1] + box[3]) / 2 - 0.5);
  const [shiftX, shiftY] = [(cosine - sine) * middle, (sine + cosine) * middle];
  return Float32Array.of(cosine, -sine, x - shiftX, sine, cosine, y - shiftY);
}

/**
 * Cut a square out of an image; outside of the image, the pixels of its edge are repeated. A square that is not turned
 * is a copy of the pixels.
 * @param {Picture} image
 * @param {CropSquare} square
 */
export function cutFace(image, square) {
  const side = Math.max(1, roundHalfEven(Math.fround(square.box[2] - square.box[0])));
  if (square.tilt === 0) {
    return cutOut(image, roundHalfEven(square.box[0]), roundHalfEven(square.box[1]), side, side);
  }
  const size = Math.min(side, LARGEST_CROP);
  return cutSquare(image, matrixOf(square, size), size);
}
