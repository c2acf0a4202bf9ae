// Pictures turned upright by quarters of a turn, and their faces turned back, as stages/orientation.py has it.

import { blank } from "./pixels.js";

/**
 * @import { Floats } from "./geometry.js"
 * @import { Picture } from "./pixels.js"
 */

/** The orientations that are tried, in degrees clockwise, those of a camera held upright first. */
export const TURNED = [90, 270, 180];

/**
 * Turn a picture clockwise by 0, 90, 180 or 270 degrees.
 * @param {Picture} image
 * @param {number} degrees
 */
export function turnPicture(image, degrees) {
  if (degrees === 0) return image;
  const { width, height, channels, data } = image;
  const turned = degrees === 180 ? blank(width, height, channels) : blank(height, width, channels);
  for (let y = 0, to = 0; y < turned.height; y++) {
    for (let x = 0; x < turned.width; x++) {
      let from = placeBefore(x, y, degrees, width, height) * channels;
      for (let channel = 0; channel < channels; channel++) turned.data[to++] = data[from++];
    }
  }
  return turned;
}

/**
 * Return which pixel of a picture stands at a place of the turned one.
 * @param {number} x
 * @param {number} y
 * @param {number} degrees
 * @param {number} width Of the picture before it is turned.
 * @param {number} height
 */
function placeBefore(x, y, degrees, width, height) {
  if (degrees === 90) return (height - 1 - x) * width + y;
  if (degrees === 180) return (height - 1 - y) * width + width - 1 - x;
  return x * width + width - 1 - y;
}

/**
 * Return points of a turned picture in pixels of the given one.
 * @param {Floats} points x and y of each.
 * @param {number} degrees By how much the picture was turned clockwise.
 * @param {{ width: number, height: number }} size Of the given picture.
 */
export function turnPoints(points, degrees, { width, height }) {
  if (degrees === 0) return points;
  const turned = new Float32Array(points.length);
  for (let at = 0; at < points.length; at += 2) {
    const [x, y] = [points[at], points[at + 1]];
    const [across, down] = degrees === 90 ? [y, height - x] : degrees === 180 ? [width - x, height - y] : [width - y, x];
    turned[at] = across;
    turned[at + 1] = down;
  }
  return turned;
}

/**
 * Return the pose of a head in a turned picture as it is in the given one: its roll differs.
 * @param {Floats} pose Yaw, pitch and roll in degrees.
 * @param {number} degrees
 */
export function turnPose([yaw, pitch, roll], degrees) {
  const back = (((roll - degrees + 180) % 360) + 360) % 360;
  return Float32Array.of(yaw, pitch, degrees ? back - 180 : roll);
}

/**
 * Return a box of a turned picture in pixels of the given one.
 * @param {Floats} box
 * @param {number} degrees
 * @param {{ width: number, height: number }} size Of the given picture.
 */
export function turnBox(box, degrees, size) {
  const [x1, y1, x2, y2] = turnPoints(box, degrees, size);
  return Float32Array.of(Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2));
}
