// Gives each face of a video its track by its expected place and its appearance, as tracking/tracker.py does.

import { appearanceOf } from "./appearance.js";
import { iom } from "./geometry.js";
import { assign } from "./least_cost.js";

/**
 * @import { Candidate } from "./finder.js"
 * @import { Floats } from "./geometry.js"
 * @import { Picture } from "./pixels.js"
 *
 * A face with the number of its person.
 * @typedef {Candidate & { track: number }} Tracked
 *
 * x and y of the centre in pixels, and the logarithms of width and height.
 * @typedef {[number, number, number, number]} Place
 *
 * The state of one track; times in seconds of the tracker's clock, velocity in place per second.
 * @typedef {object} TrackState
 * @property {number} track
 * @property {Place} place When last visible.
 * @property {Place} velocity
 * @property {Floats} appearance
 * @property {number} lastSeen
 * @property {number} frames Frames with the person.
 * @property {number} learned Frames from which the appearance was learned.
 */

/** Distance from the expected position, in units of the face's size, that costs 1. */
const REACH = 0.7;

/** Growth of the reach for each second in which the person is not visible. */
const REACH_GROWTH = 1;

/** Cosine distance of two appearances that costs 1. */
const UNLIKE = 0.15;

/** Pairs of this cost or more are not matched. */
const MAX_COST = 1.5;

/** Additional cost of a track with a single frame. */
const NEW_TRACK_COST = 0.25;

/** How many times sooner a track with a single frame is dropped. */
const NEW_TRACK_HASTE = 5;

/** Side of a head in units of its face's box. */
const HEAD = 1.4;

/** Intersection over minimum of heads above which they occlude each other. */
const MAX_HEAD_OVERLAP = 0.05;

/** Factor by which the appearance of an occluded face costs less, and its size and velocity follow more slowly. */
const OCCLUDED = 4;

/** Time constant, in seconds, with which the velocity of a person who is not visible decays. */
const GLIDE = 1;

/** Time constant, in seconds, with which velocity and size follow a change. */
const MOTION = 0.12;

/** Time constant, in seconds, with which the appearance of a track follows a change. */
const LEARNING = 1;

/** Smallest divisor. */
const TINY = 1e-9;

export class Tracker {
  /** @type {TrackState[]} */
  #tracks = [];

  #count = 0;
  #clock = 0;

  /** @type {number | null} */
  #last = null;

  /** @param {number} patience Seconds for which a person who is not visible keeps the track. */
  constructor(patience) {
    this.patience = patience;
  }

  /** Number of tracks without a face in the last frame that are still kept; those with one frame do not count. */
  get waiting() {
    return this.#tracks.filter(({ lastSeen, frames }) => lastSeen < this.#clock && frames > 1).length;
  }

  /**
   * Assign the faces of the next frame to tracks.
   * @param {Picture} image
   * @param {Candidate[]} faces
   * @param {number} time In seconds.
   * @param {boolean} cut Whether a new shot begins.
   * @returns {Tracked[]}
   */
  update(image, faces, time, cut) {
    this.#passTime(time);
    const places = faces.map(({ box }) => placeOf(box));
    const looks = faces.map(({ box }) => appearanceOf(image, box));
    const clear = headOverlaps(faces).map((overlap, row) => overlap <= MAX_HEAD_OVERLAP && looks[row].some((value) => value !== 0));
    const costs = faces.map((_, row) => this.#tracks.map((track) => this.#cost(track, places[row], looks[row], clear[row], cut)));
    const matches = assign(costs, MAX_COST);
    const known = [...this.#tracks];
    return faces.map((face, row) => {
      const column = matches.get(row);
      const track = column === undefined ? this.#start(places[row], looks[row], clear[row]) : known[column];
      if (column !== undefined) this.#refresh(track, places[row], looks[row], clear[row], !cut);
      return { ...face, track: track.track };
    });
  }

  /**
   * Advance the clock, and drop tracks without a face for too long; those in the last frame are always kept.
   * @param {number} time
   */
  #passTime(time) {
    const before = this.#clock;
    this.#clock += this.#last === null ? 0 : Math.max(time - this.#last, 0);
    this.#last = time;
    this.#tracks = this.#tracks.filter(({ lastSeen, frames }) =>
      lastSeen >= before || this.#clock - lastSeen <= this.patience / (frames < 2 ? NEW_TRACK_HASTE : 1));
  }

  /**
   * Return the cost of a pair of a track and a face.
   * @param {TrackState} track
   * @param {Place} place
   * @param {Floats} look
   * @param {boolean} clear
   * @param {boolean} cut
   */
  #cost(track, place, look, clear, cut) {
    const unseen = this.#clock - track.lastSeen;
    const glided = GLIDE * (1 - Math.exp(-unseen / GLIDE));
    const expected = /** @type {Place} */ (track.place.map((value, at) => value + track.velocity[at] * glided));
    const away = Math.min(distance(expected, place), distance(track.place, place)) / (REACH + REACH_GROWTH * unseen);
    const far = cut ? 1 : Math.min(away, 1);
    const likeness = track.appearance.reduce((sum, value, at) => sum + value * look[at], 0);
    const unlike = (1 - likeness) / UNLIKE;
    return far + (clear ? unlike : Math.min(unlike / OCCLUDED, MAX_COST - 1)) + (track.frames < 2 ? NEW_TRACK_COST : 0);
  }

  /**
   * Start the track of a new person.
   * @param {Place} place
   * @param {Floats} appearance
   * @param {boolean} clear
   */
  #start(place, appearance, clear) {
    this.#count += 1;
    /** @type {TrackState} */
    const track = {
      track: this.#count, place, velocity: [0, 0, 0, 0], appearance, lastSeen: this.#clock, frames: 1, learned: Number(clear),
    };
    this.#tracks.push(track);
    return track;
  }

  /**
   * Update a track's place, velocity and appearance.
   * @param {TrackState} track
   * @param {Place} found
   * @param {Floats} look
   * @param {boolean} clear
   * @param {boolean} moved Whether the person moved here from the last place, rather than to another shot.
   */
  #refresh(track, found, look, clear, moved) {
    const passed = this.#clock - track.lastSeen;
    const weight = weightOf(passed, clear ? MOTION : OCCLUDED * MOTION);
    const before = track.place;
    /** @type {Place} */
    let place = found;
    if (clear) {
      const learned = Math.max(weightOf(passed, LEARNING), 1 / (track.learned + 1));
      const mixed = track.appearance.map((value, at) => value + learned * (look[at] - value));
      const length = Math.max(Math.hypot(...mixed), TINY);
      track.appearance = mixed.map((value) => value / length);
      track.learned += 1;
    } else {
      const grown = (/** @type {number} */ at) => before[at] + weight * (found[at] - before[at]);
      place = [found[0], found[1], grown(2), grown(3)]; // the occluder may shrink the box or push it aside
    }
    if (!moved) track.velocity = [0, 0, 0, 0];
    else if (passed > 0) {
      track.velocity = /** @type {Place} */ (track.velocity.map((value, at) => value + weight * ((place[at] - before[at]) / passed - value)));
    }
    Object.assign(track, { place, lastSeen: this.#clock, frames: track.frames + 1 });
  }
}

/**
 * Turn a box into a place.
 * @param {Floats} box
 * @returns {Place}
 */
function placeOf([x1, y1, x2, y2]) {
  return [(x1 + x2) / 2, (y1 + y2) / 2, Math.log(Math.max(x2 - x1, 1)), Math.log(Math.max(y2 - y1, 1))];
}

/**
 * Return the distance of two places: between the centres in units of the size, plus the log ratio of the sizes.
 * @param {Place} expected
 * @param {Place} found
 */
function distance(expected, found) {
  const [before, now] = [(expected[2] + expected[3]) / 2, (found[2] + found[3]) / 2];
  return Math.hypot(found[0] - expected[0], found[1] - expected[1]) / Math.exp(before) + Math.abs(now - before);
}

/**
 * Return the largest intersection over minimum of each head with another one.
 * @param {Candidate[]} faces
 */
function headOverlaps(faces) {
  const heads = faces.map(({ box: [x1, y1, x2, y2] }) => {
    const [x, y, width, height] = [(x1 + x2) / 2, (y1 + y2) / 2, (HEAD / 2) * (x2 - x1), (HEAD / 2) * (y2 - y1)];
    return Float32Array.of(x - width, y - height, x + width, y + height);
  });
  return heads.map((head, row) => Math.max(0, ...heads.map((other, column) => (row === column ? 0 : iom(head, other)))));
}

/**
 * Return the weight of a new value in an exponential average.
 * @param {number} passed Seconds since the last one.
 * @param {number} seconds
 */
function weightOf(passed, seconds) {
  return 1 - Math.exp(-passed / seconds);
}
