// The appearance of a face, by which a person is found again within a video, as tracking/appearance.py has it.

import { clamp, cutOut, greyOf, resizeArea, resizeLinear, roundHalfEven } from "./pixels.js";

/**
 * @import { Floats } from "./geometry.js"
 * @import { Picture } from "./pixels.js"
 */

/** Pixels of the thumbnail's side. */
const THUMBNAIL = 8;

/** Weight of the colours in the similarity, 0..1; the rest is the thumbnail's. */
const COLOUR_SHARE = 0.9;

/** Histogram bins for green's share of the light, and as many for red's. */
const BINS = 24;

/** Shares of green and of red at which the histogram begins and ends. */
const RANGE = { green: [0.15, 0.5], red: [0.15, 0.7] };

/** Weights of a Gaussian of sigma 0.7 over three bins. */
const BLUR = [0.20945361, 0.58109278, 0.20945361];

/** Smallest divisor. */
const TINY = 1e-9;

/** Values of an appearance. */
const LENGTH = THUMBNAIL * THUMBNAIL + BINS * BINS;

/**
 * Return the appearance of a face: a grey thumbnail and a histogram of colours, of length 1. The dot product of two is
 * their similarity. It is all zeros for a face outside of the image.
 * @param {Picture} image RGB.
 * @param {Floats} box
 * @returns {Floats}
 */
export function appearanceOf(image, box) {
  const [x1, y1, x2, y2] = Array.from(box, (value) => Math.max(0, roundHalfEven(value)));
  const [width, height] = [Math.min(x2, image.width) - x1, Math.min(y2, image.height) - y1];
  const appearance = new Float32Array(LENGTH);
  if (width <= 0 || height <= 0) return appearance;
  const small = resizeAny(cutOut(image, x1, y1, width, height), 3 * THUMBNAIL);
  const grey = greyOf(resizeArea(small, THUMBNAIL, THUMBNAIL)).data;
  const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
  const shade = Float32Array.from(grey, (value) => value - mean);
  const strength = Math.sqrt(1 - COLOUR_SHARE) / Math.max(Math.hypot(...shade), TINY);
  appearance.set(shade.map((value) => value * strength));
  appearance.set(histogramOf(small).map((value) => value * Math.sqrt(COLOUR_SHARE)), shade.length);
  return appearance;
}

/**
 * Resize an image to a small square, whichever side is shorter.
 * @param {Picture} image
 * @param {number} side
 */
function resizeAny(image, side) {
  const enough = image.width >= side && image.height >= side;
  return enough ? resizeArea(image, side, side) : resizeLinear(image, side, side);
}

/**
 * Return the square root of a histogram of colours, weighted by brightness.
 * @param {Picture} image RGB.
 */
function histogramOf({ data }) {
  const amounts = new Float32Array(BINS * BINS);
  const binOf = (/** @type {number} */ share, /** @type {number[]} */ [low, high]) =>
    Math.floor(clamp(((share - low) / (high - low)) * BINS, 0, BINS - 1));
  for (let at = 0; at < data.length; at += 3) {
    const light = data[at] + data[at + 1] + data[at + 2];
    const [green, red] = [data[at + 1] / Math.max(light, 1), data[at] / Math.max(light, 1)];
    amounts[binOf(green, RANGE.green) * BINS + binOf(red, RANGE.red)] += light;
  }
  const spread = blurred(amounts);
  const sum = Math.max(spread.reduce((one, other) => one + other, 0), TINY);
  return spread.map((value) => Math.sqrt(value / sum));
}

/**
 * Blur a histogram a little, so that a colour at the edge of a bin counts for both. The edge is mirrored.
 * @param {Float32Array} amounts
 */
function blurred(amounts) {
  const mirror = (/** @type {number} */ place) => (place < 0 ? -place : place >= BINS ? 2 * BINS - 2 - place : place);
  const across = amounts.map((_, at) => {
    const row = at - (at % BINS);
    return BLUR.reduce((sum, weight, step) => sum + weight * amounts[row + mirror((at % BINS) + step - 1)], 0);
  });
  return across.map((_, at) => {
    const row = Math.floor(at / BINS);
    return BLUR.reduce((sum, weight, step) => sum + weight * across[mirror(row + step - 1) * BINS + (at % BINS)], 0);
  });
}
