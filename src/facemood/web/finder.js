// The face detector: a small network on an image pyramid, confirmed by the landmark network, as stages/detect has it.

import { boxOfPoints, iom, nonMaxSuppression, tiltOf } from "./geometry.js";
import { sigmoid } from "./landmarks.js";
import { clamp, greyOf, resizeArea, resizeLinear, roundHalfEven } from "./pixels.js";

/**
 * @import { Floats } from "./geometry.js"
 * @import { LandmarkModel, Place } from "./landmarks.js"
 * @import { Network } from "./network.js"
 * @import { Picture } from "./pixels.js"
 *
 * A box that may be a face; its points are the 5 of the detection network, or 68 landmarks.
 * @typedef {{ box: Floats, score: number, points: Floats }} Candidate
 *
 * Which faces count: the shorter side of the box in pixels, the score 0..1.
 * @typedef {{ minFace: number, threshold?: number }} FinderOptions
 *
 * A part of a pyramid level, padded: grey levels, and x and y of its first pixel in the level.
 * @typedef {{ data: Float32Array, width: number, height: number, x: number, y: number }} Tile
 */

/** Smallest face that the network detects, in pixels of its input. */
const WINDOW = 21;

/** Largest factor by which an image is enlarged. */
const MAX_ENLARGEMENT = 2;

/** Pixels of the side of a tile. */
const TILE = 1024;

/** Pixels that neighbouring tiles share. */
const TILE_OVERLAP = 192;

/** Most tiles of the first pyramid level. */
const MAX_TILES = 1024;

/** Pixels added around a pyramid level. */
const PADDING = 16;

/** Grey level of the padding. */
const PADDING_GREY = 128;

/** Score from which a candidate is passed to the landmark network. */
const CANDIDATE = 0.5;

/** Most candidates that are passed to the landmark network. */
const MAX_CANDIDATES = 256;

/** Product of the two networks' odds at which the combined score is 0.5. */
const ODDS = 16;

/** Combined score below which a candidate is rejected at once; above it, the landmark network looks again. */
const HOPELESS = 0.02;

/** Intersection over union from which two boxes are the same face. */
const SAME_FACE = 0.4;

/** Intersection over minimum from which a box is a part of a better one. */
const PART_OF_FACE = 0.7;

/** Landmarks of the outer corners of the right and left eye. */
const OUTER_CORNERS = /** @type {const} */ ([36, 45]);

/** Pixels of a cell's side. */
const STRIDE = 8;

/** Points of a candidate of the detection network. */
const CELL_POINTS = 5;

/** Score from which a face counts, unless another one is given. */
export const THRESHOLD = 0.5;

/** Score from which a face counts that is found in a picture only when it is turned. */
export const SURE = 0.9;

export class Finder {
  /**
   * @param {Network} network The detection network.
   * @param {LandmarkModel} landmarkModel
   */
  constructor(network, landmarkModel) {
    this.network = network;
    this.landmarkModel = landmarkModel;
  }

  /**
   * Detect the faces of an image, with box, score and 68 landmarks.
   * @param {Picture} image
   * @param {FinderOptions} options
   * @returns {Promise<Candidate[]>} Highest score first.
   */
  async detect(image, { minFace, threshold = THRESHOLD }) {
    const grey = greyOf(image);
    const found = await this.search(grey, minFace);
    const places = found.map(({ box, points }) => ({ box, tilt: tiltOf(points, 0, 1) }));
    const refined = await this.#confirm(grey, found, places);
    const sure = refined.filter(({ score }) => score >= threshold);
    const isUnsure = refined.map(({ box, score }) =>
      score < threshold && score >= HOPELESS && !sure.some((one) => iom(box, one.box) >= PART_OF_FACE));
    const unsure = refined.filter((_, index) => isUnsure[index]);
    const again = unsure.map(({ box, points }) => ({ box, tilt: tiltOf(points, ...OUTER_CORNERS) }));
    const second = await this.#confirm(grey, found.filter((_, index) => isUnsure[index]), again);
    const all = [...refined.filter((_, index) => !isUnsure[index]), ...second];
    return nonMaxSuppression(all.filter(({ score }) => score >= threshold), { iouFrom: SAME_FACE, iomFrom: PART_OF_FACE });
  }

  /**
   * Return candidates with their 68 landmarks, the boxes around them, and the combined scores.
   * @param {Picture} grey
   * @param {Candidate[]} found With the scores of the detection network.
   * @param {Place[]} places Where the landmark network looks for each.
   * @returns {Promise<Candidate[]>}
   */
  async #confirm(grey, found, places) {
    const seen = await this.landmarkModel.predict(grey, places);
    return seen.map(({ points, presence }, index) => ({
      box: boxOfPoints(points), score: combineScores(found[index].score, presence), points,
    }));
  }

  /**
   * Return the detection network's candidates, highest score first.
   * @param {Picture} grey
   * @param {number} minFace
   */
  async search(grey, minFace) {
    /** @type {Candidate[]} */
    const found = [];
    const wanted = Math.min(WINDOW / minFace, MAX_ENLARGEMENT);
    for (const level of pyramidLevels(grey, boundedScale(grey, wanted))) {
      const across = Math.fround(level.width / grey.width);
      const down = Math.fround(level.height / grey.height);
      for (const tile of tilesOf(level, (length) => this.network.room(length))) {
        const { cells } = await this.network.runBatch(tile.data, [1, 1, tile.height, tile.width]);
        const [, , rows, columns] = cells.dims;
        found.push(...decodeCells(cells.data, rows, columns, { x: tile.x, y: tile.y, across, down }));
      }
    }
    return nonMaxSuppression(found, { iouFrom: SAME_FACE }).slice(0, MAX_CANDIDATES);
  }
}

/**
 * Return the scale at which an image is searched: the one that is wanted, or a smaller one for very long images.
 * @param {{ width: number, height: number }} image
 * @param {number} scale
 */
export function boundedScale({ width, height }, scale) {
  const step = TILE - TILE_OVERLAP;
  const [down, across] = [height, width].map((side) => Math.max(1, (side * scale) / step));
  const excess = (down * across) / MAX_TILES;
  if (excess <= 1) return scale;
  return scale / (Math.min(down, across) === 1 ? excess : Math.sqrt(excess));
}

/**
 * Yield the levels of an image pyramid: each is half as large as the one before, as long as a face fits in.
 * @param {Picture} grey
 * @param {number} scale Pixels of the first level per pixel of the image.
 * @returns {Generator<Picture>}
 */
export function* pyramidLevels(grey, scale) {
  const { width, height } = grey;
  for (let level = grey, factor = scale; ; factor /= 2) {
    const across = Math.max(1, roundHalfEven(width * factor));
    const down = Math.max(1, roundHalfEven(height * factor));
    if (across !== level.width || down !== level.height) {
      level = factor < 1 && across <= level.width && down <= level.height
        ? resizeArea(level, across, down) : resizeLinear(level, across, down);
    }
    yield level;
    if (Math.max(across, down) < 2 * WINDOW) return;
  }
}

/**
 * Cut a padded pyramid level into overlapping tiles whose sides are multiples of 16.
 * @param {Picture} level
 * @param {(length: number) => Float32Array} room Returns room for a tile.
 * @returns {Generator<Tile>}
 */
export function* tilesOf(level, room) {
  const [height, width] = [level.height + 2 * PADDING, level.width + 2 * PADDING];
  const step = TILE - TILE_OVERLAP;
  for (let top = 0; top < Math.max(height - TILE_OVERLAP, 1); top += step) {
    for (let left = 0; left < Math.max(width - TILE_OVERLAP, 1); left += step) {
      yield cutTile(level, left, top, Math.min(TILE, width - left), Math.min(TILE, height - top), room);
    }
  }
}

/**
 * Cut one tile.
 * @param {Picture} level
 * @param {number} left In the padded level.
 * @param {number} top
 * @param {number} columns
 * @param {number} rows
 * @param {(length: number) => Float32Array} room
 * @returns {Tile}
 */
function cutTile(level, left, top, columns, rows, room) {
  const [width, height] = [Math.ceil(columns / 16) * 16, Math.ceil(rows / 16) * 16];
  const data = room(width * height).fill(PADDING_GREY);
  const [x, y] = [left - PADDING, top - PADDING];
  const [first, last] = [Math.max(x, 0), Math.min(x + columns, level.width)];
  for (let row = Math.max(y, 0); row < Math.min(y + rows, level.height); row++) {
    data.set(level.data.subarray(row * level.width + first, row * level.width + last), (row - y) * width + first - x);
  }
  return { data, width, height, x, y };
}

/**
 * Decode the detection network's output for one tile, before non-maximum suppression: for each cell the logit of the
 * score, the logarithms of the distances to the left, top, right and bottom side, and five points from its middle.
 * @param {Float32Array} cells
 * @param {number} rows
 * @param {number} columns
 * @param {{ x: number, y: number, across: number, down: number }} place First pixel of the tile in its level, and
 *   pixels of the level per pixel of the image.
 * @returns {Candidate[]}
 */
export function decodeCells(cells, rows, columns, { x, y, across, down }) {
  const count = rows * columns;
  const least = Math.log(CANDIDATE / (1 - CANDIDATE));
  /** @type {Candidate[]} */
  const found = [];
  for (let cell = 0; cell < count; cell++) {
    if (cells[cell] < least) continue;
    const [column, row] = [(cell % columns) + 0.5, Math.floor(cell / columns) + 0.5];
    const at = (/** @type {number} */ plane) => cells[plane * count + cell];
    const away = (/** @type {number} */ plane) => Math.fround(Math.exp(clamp(at(plane), -4, 4)));
    const toX = (/** @type {number} */ value) => Math.fround(Math.fround(value) * STRIDE + x) / across;
    const toY = (/** @type {number} */ value) => Math.fround(Math.fround(value) * STRIDE + y) / down;
    const points = new Float32Array(2 * CELL_POINTS);
    for (let point = 0; point < CELL_POINTS; point++) {
      points[2 * point] = toX(column + at(5 + 2 * point));
      points[2 * point + 1] = toY(row + at(6 + 2 * point));
    }
    const box = Float32Array.of(toX(column - away(1)), toY(row - away(2)), toX(column + away(3)), toY(row + away(4)));
    found.push({ box, score: sigmoid(cells[cell]), points });
  }
  return found;
}

/**
 * Combine the scores of both networks: the product of their odds, divided by `ODDS`, as a probability.
 * @param {number} score
 * @param {number} presence
 */
export function combineScores(score, presence) {
  const [one, other] = [score, presence].map((share) => Math.fround(clamp(share, Math.fround(1e-6), Math.fround(1 - 1e-6))));
  const odds = ((one / (1 - one)) * (other / (1 - other))) / ODDS;
  return Math.fround(odds / (1 + odds));
}
