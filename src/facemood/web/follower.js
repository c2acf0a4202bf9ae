// Faces followed through a video by their own landmarks, as tracking/follow.py does; the detector runs now and then.

import { boxOfPoints, iom, iou, shorterSide, tiltOf } from "./geometry.js";
import { PRESENT } from "./landmarks.js";
import { selectFaces } from "./photos.js";
import { greyOf, resizeArea, resizeLinear, roundHalfEven } from "./pixels.js";
import { Tracker } from "./tracker.js";

/**
 * @import { Candidate, Finder } from "./finder.js"
 * @import { LandmarkModel } from "./landmarks.js"
 * @import { DetectOptions } from "./photos.js"
 * @import { Picture } from "./pixels.js"
 * @import { Tracked } from "./tracker.js"
 */

/** The detector runs at least every so many frames. */
const DETECT_EVERY = 5;

/** The detector runs at least every so many frames while there is no face, or while a track has no face. */
const SEARCH_EVERY = 2;

/** The detector runs at least every so many seconds. */
const DETECT_SECONDS = 0.5;

/** The detector looks for faces of all sizes at least every so many seconds; in between for larger ones. */
const FULL_SECONDS = 1;

/** Smallest face, in pixels, that the detector looks for in between. */
const LARGE = 48;

/** A face is known to be large if it is larger than `LARGE` by this factor. */
const ROOM_FOR_CHANGE = 1.25;

/** Longest gap between frames, in seconds, over which a face is still followed. */
const LONGEST_GAP = 0.35;

/** Below this presence score a followed face is unreliable. */
const RELIABLE = 0.8;

/** A face that moves by a larger share of its size between two frames is unreliable. */
const MAX_SHIFT = 0.35;

/** A face that grows or shrinks by a larger factor between two frames is unreliable. */
const MAX_SCALING = 1.25;

/** A face is unreliable if its points move within their box by a larger share of the box, in the mean. */
const MAX_DEFORMATION = 0.06;

/** Two followed faces with a larger intersection over minimum are unreliable. */
const MAX_OVERLAP = 0.2;

/** Intersection over union from which a detected face is the followed one, whose points then stay. */
const SAME_FACE = 0.7;

/** A followed face whose intersection over minimum with all detected ones is at most this was missed by the detector. */
const MISSED = 0.3;

/** How many times in a row the detector may miss a followed face before it is dropped. */
const MAX_MISSES = 3;

/** Two frames whose thumbnails correlate less have a cut between them. */
const SAME_SHOT = 0.5;

/** Width and height of a thumbnail, by which cuts are detected; it is made from one pixel in 64. */
const THUMBNAIL = { width: 32, height: 24, step: 8 };

/** Pixels and degrees to whose multiples the place of a followed face is rounded. */
const STEP = 1 / 16;

/** Smallest divisor of a side in pixels. */
const TINY = 1e-3;

export class FaceFollower {
  /** @type {Tracked[]} */
  #faces = [];

  #framesSince = 0;
  #detectedAt = 0;

  /** @type {number | null} */
  #searchedAt = null;

  /** @type {number | null} */
  #time = null;

  /** @type {Float32Array | null} */
  #thumbnail = null;

  /**
   * The last frame in grey, whose memory the next one takes.
   * @type {Picture | null}
   */
  #grey = null;

  /** @type {Map<number, number>} */
  #misses = new Map();

  /**
   * @param {Finder} finder
   * @param {LandmarkModel} landmarkModel
   * @param {DetectOptions} options
   * @param {number} patience Seconds for which a person who is not visible keeps the track.
   */
  constructor(finder, landmarkModel, options, patience) {
    this.finder = finder;
    this.landmarkModel = landmarkModel;
    this.options = options;
    this.tracker = new Tracker(patience);
  }

  /**
   * Return the faces of the next frame, largest first.
   * @param {Picture} image
   * @param {number} time In seconds.
   * @returns {Promise<Tracked[]>}
   */
  async find(image, time) {
    const small = thumbnailOf(image);
    const grey = (this.#grey = greyOf(image, this.#grey));
    const cut = this.#thumbnail !== null && !isSameShot(this.#thumbnail, small);
    const recent = this.#time !== null && Math.abs(time - this.#time) < LONGEST_GAP;
    const { faces: followed, unreliable } = recent && !cut ? await this.#follow(grey) : { faces: [], unreliable: true };
    const detect = unreliable || this.#isDue(time);
    const faces = detect ? await this.#detect(grey, followed, this.#chooseSize(time, cut)) : followed;
    this.#faces = this.tracker.update(image, selectFaces(faces, this.options), time, cut);
    this.#framesSince = detect ? 0 : this.#framesSince + 1;
    if (detect) this.#detectedAt = time;
    this.#time = time;
    this.#thumbnail = small;
    return this.#faces;
  }

  /**
   * Follow the faces of the last frame, in their boxes and at their tilts, which are rounded so that differences of rounding
   * do not grow; return those that are still there, and whether any is unreliable.
   * @param {Picture} grey
   */
  async #follow(grey) {
    const places = this.#faces.map(({ points }) => ({
      box: boxOfPoints(points).map(inSteps), tilt: inSteps(tiltOf(points, 36, 45)),
    }));
    const seen = await this.landmarkModel.predict(grey, places);
    const pairs = this.#faces.flatMap((before, row) => {
      const { points, presence } = seen[row];
      return presence >= PRESENT ? [{ before, now: { ...before, box: reframe(before, points), points, score: presence } }] : [];
    });
    const faces = pairs.map(({ now }) => now);
    const lost = pairs.length < this.#faces.length;
    return { faces, unreliable: lost || isOverlapping(faces) || pairs.some(({ before, now }) => isUnreliable(before, now)) };
  }

  /**
   * Return whether the detector must run again after so many frames or seconds.
   * @param {number} time
   */
  #isDue(time) {
    const searching = !this.#faces.length || this.tracker.waiting > 0;
    return this.#framesSince + 1 >= (searching ? SEARCH_EVERY : DETECT_EVERY) || time - this.#detectedAt >= DETECT_SECONDS;
  }

  /**
   * Return the smallest face that the detector looks for now.
   * @param {number} time
   * @param {boolean} cut
   */
  #chooseSize(time, cut) {
    const { minFace } = this.options;
    const passed = this.#searchedAt === null ? Infinity : time - this.#searchedAt;
    const due = cut || passed < 0 || passed >= FULL_SECONDS;
    const missing = this.tracker.waiting > 0 || this.#faces.some(({ box }) => shorterSide(box) < LARGE * ROOM_FOR_CHANGE);
    if (minFace < LARGE && !due && !missing) return LARGE;
    this.#searchedAt = time;
    return minFace;
  }

  /**
   * Run the detector and merge its faces with those that were followed.
   * @param {Picture} grey
   * @param {Tracked[]} followed
   * @param {number} minFace
   * @returns {Promise<Candidate[]>}
   */
  async #detect(grey, followed, minFace) {
    const options = { ...this.options, minFace };
    const found = selectFaces(await this.finder.detect(grey, options), { ...options, maxFaces: undefined });
    if (!followed.length) {
      this.#misses.clear();
      return found;
    }
    if (!found.length) return this.#keepMissed(followed);
    const matches = matchBoxes(found, followed);
    const kept = found.map((face, row) => followed[matches.get(row) ?? -1] ?? face);
    const missed = followed.filter(({ box }) => found.every((face) => iom(box, face.box) <= MISSED));
    return [...kept, ...this.#keepMissed(missed)];
  }

  /**
   * Return those of the faces missed by the detector that are reliable and were not missed too often.
   * @param {Tracked[]} faces
   */
  #keepMissed(faces) {
    this.#misses = new Map(faces.map(({ track }) => [track, (this.#misses.get(track) ?? 0) + 1]));
    return faces.filter(({ track, score }) => (this.#misses.get(track) ?? 0) <= MAX_MISSES && score >= RELIABLE);
  }
}

/**
 * Round a number to a multiple of `STEP`.
 * @param {number} value
 */
function inSteps(value) {
  return roundHalfEven(value / STEP) * STEP;
}

/**
 * Return whether a followed face may be lost: a low presence score, or a change that is too fast for a face.
 * @param {Candidate} before
 * @param {Candidate} now
 */
function isUnreliable(before, now) {
  if (now.score < RELIABLE) return true;
  const [one, other] = [before, now].map(({ points }) => frameOf(points));
  const shift = Math.hypot(other.x - one.x, other.y - one.y) / Math.sqrt(one.width * one.height);
  const scaling = Math.max(Math.abs(Math.log(other.width / one.width)), Math.abs(Math.log(other.height / one.height)));
  let deformation = 0;
  for (let at = 0; at < now.points.length; at += 2) {
    const across = (now.points[at] - other.left) / other.width - (before.points[at] - one.left) / one.width;
    const down = (now.points[at + 1] - other.top) / other.height - (before.points[at + 1] - one.top) / one.height;
    deformation += Math.hypot(across, down) / (now.points.length / 2);
  }
  return shift > MAX_SHIFT || scaling > Math.log(MAX_SCALING) || deformation > MAX_DEFORMATION;
}

/**
 * Return corner, sides and middle of the box of some landmarks.
 * @param {Float32Array} points
 */
function frameOf(points) {
  const [left, top, right, bottom] = boxOfPoints(points);
  const [width, height] = [Math.max(right - left, TINY), Math.max(bottom - top, TINY)];
  return { left, top, width, height, x: left + width / 2, y: top + height / 2 };
}

/**
 * Move a face's box with its landmarks: position and size relative to them stay the same.
 * @param {Candidate} before
 * @param {Float32Array} points
 */
function reframe(before, points) {
  const [old, now] = [boxOfPoints(before.points), boxOfPoints(points)];
  const scales = [(now[2] - now[0]) / Math.max(old[2] - old[0], TINY), (now[3] - now[1]) / Math.max(old[3] - old[1], TINY)];
  return before.box.map((value, at) => now[at % 2] + (value - old[at % 2]) * scales[at % 2]);
}

/**
 * Return whether two faces overlap so much that they may be the same.
 * @param {Candidate[]} faces
 */
function isOverlapping(faces) {
  return faces.some((one, row) => faces.slice(row + 1).some((other) => iom(one.box, other.box) > MAX_OVERLAP));
}

/**
 * Match boxes greedily by their intersection over union, the largest first.
 * @param {Candidate[]} found
 * @param {Candidate[]} followed
 * @returns {Map<number, number>} The followed face of each found one.
 */
function matchBoxes(found, followed) {
  const pairs = found.flatMap((one, row) => followed.map((other, column) => ({ row, column, overlap: iou(one.box, other.box) })));
  /** @type {Map<number, number>} */
  const matches = new Map();
  for (const { row, column, overlap } of pairs.sort((one, other) => other.overlap - one.overlap)) {
    if (overlap < SAME_FACE) break;
    if (!matches.has(row) && ![...matches.values()].includes(column)) matches.set(row, column);
  }
  return matches;
}

/**
 * Return a frame as a few grey levels, by which cuts are detected.
 * @param {Picture} image RGB.
 */
function thumbnailOf({ data, width, height, channels }) {
  const { step } = THUMBNAIL;
  const few = { data: new Uint8Array(Math.ceil(width / step) * Math.ceil(height / step)), width: Math.ceil(width / step), height: Math.ceil(height / step), channels: 1 };
  for (let y = 0, to = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) few.data[to++] = data[(y * width + x) * channels + Math.min(1, channels - 1)];
  }
  const enough = few.width >= THUMBNAIL.width && few.height >= THUMBNAIL.height;
  const small = enough ? resizeArea(few, THUMBNAIL.width, THUMBNAIL.height) : resizeLinear(few, THUMBNAIL.width, THUMBNAIL.height);
  return Float32Array.from(small.data);
}

/**
 * Return whether two thumbnails correlate, so that there is no cut between them; even ones always count as such.
 * @param {Float32Array} one
 * @param {Float32Array} other
 */
function isSameShot(one, other) {
  const [first, second] = [one, other].map((values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.map((value) => value - mean);
  });
  const strength = Math.hypot(...first) * Math.hypot(...second);
  return strength < one.length || first.reduce((sum, value, at) => sum + value * second[at], 0) >= SAME_SHOT * strength;
}
