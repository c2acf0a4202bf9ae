// Faces hidden in an image, as render/anonymize.py hides them: each becomes a few mean colours.

import { clamp, resizeArea, resizeLinear, roundHalfEven } from "./pixels.js";

/**
 * @import { Picture } from "./pixels.js"
 *
 * A part of an image in pixels.
 * @typedef {{ x: number, y: number, width: number, height: number }} Part
 */

/** Hidden margin on each side of a face's box, as a share of its size. */
const MARGIN = 0.15;

/** Cells along each side of a hidden face. */
const CELLS = 6;

/**
 * Return the part of an image that a hidden face covers: its box with a margin, inside of the image.
 * @param {Iterable<number>} box x1 y1 x2 y2 in pixels.
 * @param {{ width: number, height: number }} image
 * @returns {Part}
 */
export function hiddenPart([x1, y1, x2, y2], image) {
  const [across, down] = [(x2 - x1) * MARGIN, (y2 - y1) * MARGIN];
  const [left, right] = [x1 - across, x2 + across].map((value) => clamp(roundHalfEven(value), 0, image.width));
  const [top, bottom] = [y1 - down, y2 + down].map((value) => clamp(roundHalfEven(value), 0, image.height));
  return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

/**
 * Return the visible part of a face as a few mean colours, interpolated.
 * @param {Picture} part
 * @param {number} size The longer side of the face's box in pixels.
 */
export function blurredFace(part, size) {
  const cell = (size * (1 + 2 * MARGIN)) / CELLS; // of the whole face, so a face cut by the edge is not sharper
  const [columns, rows] = [part.width, part.height].map((side) => Math.min(side, Math.max(1, Math.min(CELLS, roundHalfEven(side / cell)))));
  return resizeLinear(resizeArea(part, columns, rows), part.width, part.height);
}
