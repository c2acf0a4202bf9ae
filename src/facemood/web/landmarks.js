// The landmark network: 68 points and a presence score for each face, as stages/landmarks.py has them.

import { POINT_VALUES } from "./geometry.js";
import { greyOf } from "./pixels.js";
import { cutSquare } from "./squares.js";

/**
 * @import { Floats } from "./geometry.js"
 * @import { Network } from "./network.js"
 * @import { Picture } from "./pixels.js"
 */

/** Side of the crop, in units of the longer side of the face's box. */
const ROOM = 1.35;

/** Presence score, 0..1, from which a crop counts as a face. */
export const PRESENT = 0.5;

/** Where the landmark network looks: a box, and the roll of the head in degrees. */
/** @typedef {{ box: Floats, tilt: number }} Place */

/** What it finds there: x and y of 68 points in pixels of the image, and whether a face is there, 0..1. */
/** @typedef {{ points: Floats, presence: number }} Landmarks */

export class LandmarkModel {
  /** @param {Network} network */
  constructor(network) {
    this.network = network;
  }

  /**
   * Predict the landmarks of the faces at some places of an image.
   * @param {Picture} image
   * @param {Place[]} places
   * @returns {Promise<Landmarks[]>}
   */
  async predict(image, places) {
    if (!places.length) return [];
    const grey = greyOf(image);
    const size = this.network.card.input_size[0];
    const frames = places.map(({ box, tilt }) => frameSquare(box, tilt, size));
    const { points, presence } = await this.network.run(frames.map((frame) => cutSquare(grey, frame, size)));
    return frames.map((frame, index) => ({
      points: pointsIn(frame, points.data.subarray(index * POINT_VALUES, (index + 1) * POINT_VALUES), size),
      presence: sigmoid(presence.data[index]),
    }));
  }
}

/**
 * Return the affine matrix from the pixels of a face's crop to those of the image.
 * @param {Floats} box
 * @param {number} tilt In degrees, clockwise in the image.
 * @param {number} size Pixels of the crop's side.
 */
export function frameSquare(box, tilt, size) {
  const scale = (ROOM * Math.max(Math.fround(box[2] - box[0]), Math.fround(box[3] - box[1]), 1e-3)) / size;
  const turn = (tilt * Math.PI) / 180;
  const [cosine, sine] = [scale * Math.cos(turn), scale * Math.sin(turn)];
  const [x, y] = [Math.fround(Math.fround(box[0] + box[2]) / 2), Math.fround(Math.fround(box[1] + box[3]) / 2)];
  const half = size / 2;
  return Float32Array.of(cosine, -sine, x - (cosine - sine) * half, sine, cosine, y - (sine + cosine) * half);
}

/**
 * Return the network's points in pixels of the image.
 * @param {Float32Array} frame
 * @param {Float32Array} output
 * @param {number} size
 */
function pointsIn(frame, output, size) {
  const [a, b, c, d, e, f] = frame;
  const points = new Float32Array(POINT_VALUES);
  for (let at = 0; at < POINT_VALUES; at += 2) {
    const [x, y] = [Math.fround((output[at] + 0.5) * size), Math.fround((output[at + 1] + 0.5) * size)];
    points[at] = a * x + b * y + c;
    points[at + 1] = d * x + e * y + f;
  }
  return points;
}

/**
 * Return the probability of a logit.
 * @param {number} logit
 */
export function sigmoid(logit) {
  return Math.fround(1 / (1 + Math.exp(-Math.min(30, Math.max(-30, logit)))));
}
