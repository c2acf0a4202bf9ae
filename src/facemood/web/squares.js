// Rotated squares cut out of images, as squares.py does.

import { blank, clamp, cutOut, resizeArea } from "./pixels.js";

/** @typedef {import("./pixels.js").Picture} Picture */

/**
 * The (2, 3) affine matrix from pixels of a square to pixels of the image, row by row, in single precision.
 * @typedef {Float32Array} Matrix
 */

/** Longest side in pixels of an image that is warped whole. */
const LARGEST_WARPED = 32000;

/**
 * Cut a rotated square out of an image; outside of the image, the pixels of its edge are repeated. A square that is
 * shrunk is averaged first.
 * @param {Picture} image
 * @param {Matrix} frame
 * @param {number} size Pixels of the square's side.
 */
export function cutSquare(image, frame, size) {
  const scale = Math.fround(Math.hypot(frame[0], frame[3]));
  if (scale <= 2 && Math.max(image.width, image.height) <= LARGEST_WARPED) return warp(image, frame, size);
  const { x1, y1, x2, y2 } = boundsOf(image, frame, size);
  const factor = Math.max(1, Math.floor(scale));
  const width = Math.max(1, Math.floor((x2 - x1) / factor));
  const height = Math.max(1, Math.floor((y2 - y1) / factor));
  const [across, down] = [Math.fround((x2 - x1) / width), Math.fround((y2 - y1) / height)];
  const part = cutOut(image, x1, y1, x2 - x1, y2 - y1);
  const [a, b, c, d, e, f] = frame;
  const inside = Float32Array.of(a / across, b / across, (c - x1) / across, d / down, e / down, (f - y1) / down);
  return warp(resizeArea(part, width, height), inside, size);
}

/**
 * Return the part of an image that a square needs.
 * @param {Picture} image
 * @param {Matrix} frame
 * @param {number} size
 */
function boundsOf(image, frame, size) {
  const corners = [[0, 0], [size, 0], [0, size], [size, size]];
  const across = corners.map(([x, y]) => Math.fround(frame[0] * x + frame[1] * y + frame[2]));
  const down = corners.map(([x, y]) => Math.fround(frame[3] * x + frame[4] * y + frame[5]));
  const x1 = clamp(Math.floor(Math.min(...across)), 0, image.width - 1);
  const y1 = clamp(Math.floor(Math.min(...down)), 0, image.height - 1);
  const x2 = clamp(Math.ceil(Math.max(...across)) + 1, x1 + 1, image.width);
  const y2 = clamp(Math.ceil(Math.max(...down)) + 1, y1 + 1, image.height);
  return { x1, y1, x2, y2 };
}

/**
 * Read a square's pixels bilinearly (warpAffine with INTER_LINEAR, WARP_INVERSE_MAP and BORDER_REPLICATE).
 * @param {Picture} image
 * @param {Matrix} frame
 * @param {number} size
 */
function warp(image, frame, size) {
  const { channels, data, width, height } = image;
  const [a, b, c, d, e, f] = frame;
  const square = blank(size, size, channels);
  for (let y = 0, to = 0; y < size; y++) {
    const right = Math.fround(Math.fround(b * y) + c);
    const low = Math.fround(Math.fround(e * y) + f);
    for (let x = 0; x < size; x++) { // no arrays and closures in here: they would be thousands a frame
      const across = Math.fround(a * x + right);
      const down = Math.fround(d * x + low);
      const left = Math.floor(across);
      const top = Math.floor(down);
      const rest = Math.fround(across - left);
      const below = Math.fround(down - top);
      const upperRow = clamp(top, 0, height - 1) * width;
      const lowerRow = clamp(top + 1, 0, height - 1) * width;
      const near = clamp(left, 0, width - 1);
      const far = clamp(left + 1, 0, width - 1);
      for (let channel = 0; channel < channels; channel++) {
        const first = data[(upperRow + near) * channels + channel];
        const second = data[(lowerRow + near) * channels + channel];
        const upper = Math.fround(first + rest * (data[(upperRow + far) * channels + channel] - first));
        const lower = Math.fround(second + rest * (data[(lowerRow + far) * channels + channel] - second));
        square.data[to++] = nearest(Math.fround(upper + below * Math.fround(lower - upper)));
      }
    }
  }
  return square;
}

/**
 * Round a grey level to the nearest one, halves to the even one.
 * @param {number} value 0..255.
 */
function nearest(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
