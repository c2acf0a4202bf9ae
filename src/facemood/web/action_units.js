// Action units: how active each facial muscle is, by pose-free landmarks and by the pixels around them, as
// action_units/estimate.py predicts them.

import { frontal, halvesOf } from "./frontal.js";
import { estimatePose } from "./head_pose.js";
import { cutPatch, mouthDetailOf, opennessOf, textureOf } from "./unit_texture.js";
import { measureSide } from "./unit_measures.js";

/**
 * @import { Candidate } from "./finder.js"
 * @import { Floats } from "./geometry.js"
 * @import { Picture } from "./pixels.js"
 * @import { Matrix } from "./small_matrix.js"
 *
 * A unit: its keys (the code, and the codes of both sides), the part of the face, how it is measured, the weights of its
 * features, how its measure depends on the pose, the standard deviation of both sides and of one, and the width of the
 * logistic function above an intensity of 0.5.
 * @typedef {object} Unit
 * @property {string[]} keys
 * @property {"upper" | "lower"} part
 * @property {"points" | "pixels" | "learned"} way
 * @property {number[] | null} weights
 * @property {number[]} slopes
 * @property {number} spread
 * @property {number} sideSpread
 * @property {number} width
 *
 * What the units are measured with: the file that the package writes. `usual` has mean and standard deviation of each
 * feature, `cover` and `bias` the classifier of covered parts.
 * @typedef {{ face: Matrix, units: Unit[], usual: Matrix, cover: Matrix, bias: number[] }} UnitParameters
 *
 * Head pose (yaw, pitch and roll in degrees) and intensities 0..1 by their keys.
 * @typedef {{ pose: Floats | null, units: Record<string, number> }} Measured
 */

/** Degrees of yaw and of pitch above which a face is turned away. */
const MAX_TURN = { yaw: 35, pitch: 30 };

/** Detection score below which a face may be covered or a false alarm. */
const MIN_SCORE = 0.6;

/** Pixels from one outer eye corner to the other below which lids and lips are too coarse to measure. */
const MIN_EYE_DISTANCE = 10;

/** Largest share of the landmarks of brows, eyes, nose and lips that may lie outside of the image. */
const MAX_OUTSIDE = 0.1;

/** Logarithm of the odds from which a part of a face counts as covered: a probability of one half. */
const COVERED = 0;

/** Detail of the mouth below which it is covered by something plain. */
const MIN_MOUTH_DETAIL = 0.45;

/** Spreads above the neutral mean at which an intensity is 0.5. */
const HALF = 1.5;

/** Width, in spreads, of the logistic function that turns spreads into intensities, below an intensity of 0.5. */
const SLOPE = 0.6;

/** Openness of eyes is raised to this, so that its logarithm is finite. */
const MIN_OPENNESS = 0.02;

/** Standard deviations to which deviations from the mean features are clipped. */
const MAX_DEVIATION = 4;

/** The parts of a face that may be covered. */
const PARTS = /** @type {const} */ (["upper", "lower"]);

/** Factor of the coordinates in the features. */
const SCALE = 8;

export class ActionUnits {
  /** @param {UnitParameters} parameters */
  constructor(parameters) {
    this.parameters = parameters;
    /** The keys of all intensities, in order. */
    this.keys = parameters.units.flatMap(({ keys }) => keys);
    /** @type {Map<string, number>} */
    this.widths = new Map(parameters.units.flatMap(({ keys, width }) => keys.map((key) => /** @type {const} */ ([key, width]))));
  }

  /**
   * Read the parameters from their file.
   * @param {Uint8Array} file
   */
  static from(file) {
    return new ActionUnits(JSON.parse(new TextDecoder().decode(file)));
  }

  /**
   * Measure head pose and action units of a face. There are no units if it is turned away, too small, has too low a score, or
   * lies partly outside of the image; none of a part that is covered.
   * @param {Picture} image RGB.
   * @param {Candidate} candidate A face of it.
   * @returns {Measured}
   */
  measure(image, { points, score }) {
    const { face } = this.parameters;
    const pose = estimatePose(points, image, face);
    if (!pose || !isMeasurable(points, score, pose, image)) return { pose, units: {} };
    const frontalized = frontal(points, pose, face);
    const patch = cutPatch(image, points, frontalized);
    const halves = halvesOf(frontalized.shape);
    const texture = textureOf(patch);
    const features = halves.map((half, side) => [...half.flat().map((value) => value * SCALE), ...texture[side]]);
    const closing = opennessOf(patch, frontalized).map((open) => -Math.log(Math.max(open, MIN_OPENNESS)));
    const hidden = this.#coveredParts(features);
    if (mouthDetailOf(patch, frontalized) < MIN_MOUTH_DETAIL) hidden.add("lower");
    const sides = halves.map(measureSide);
    const ways = {
      points: (/** @type {Unit} */ unit, /** @type {number} */ side) => sides[side][unit.keys[0]],
      pixels: (/** @type {Unit} */ _, /** @type {number} */ side) => closing[side],
      learned: (/** @type {Unit} */ { weights }, /** @type {number} */ side) => dot(features[side], weights ?? []),
    };
    const shown = this.parameters.units.filter(({ part }) => !hidden.has(part));
    const spreads = shown.flatMap((unit) => spreadsOfUnit(unit, [0, 1].map((side) => ways[unit.way](unit, side)), pose));
    return { pose, units: Object.fromEntries(spreads.map(([key, value]) => [key, this.intensityOf(key, value)])) };
  }

  /**
   * Turn spreads above the mean of neutral faces into an intensity 0..1.
   * @param {string} key Of the unit.
   * @param {number} spreads
   */
  intensityOf(key, spreads) {
    const above = spreads - HALF;
    return 0.5 + 0.5 * Math.tanh(above / (2 * (above > 0 ? this.#widthOf(key) : SLOPE)));
  }

  /**
   * Turn an intensity back into spreads.
   * @param {string} key Of the unit.
   * @param {number} intensity
   */
  spreadsOf(key, intensity) {
    const held = Math.min(Math.max(intensity, 2e-9), 1 - 2e-9);
    return HALF + (held > 0.5 ? this.#widthOf(key) : SLOPE) * Math.log(held / (1 - held));
  }

  /** @param {string} key */
  #widthOf(key) {
    return this.widths.get(key) ?? SLOPE;
  }

  /**
   * Return which parts of a face are covered.
   * @param {Matrix} features Of both halves.
   * @returns {Set<string>}
   */
  #coveredParts([one, other]) {
    const { usual: [mean, spread], cover, bias } = this.parameters;
    const away = one.map((value, place) => {
      const deviation = ((value + other[place]) / 2 - mean[place]) / spread[place];
      return Math.min(Math.max(deviation, -MAX_DEVIATION), MAX_DEVIATION);
    });
    const unusual = [...away, ...away.map((value) => value * value)];
    return new Set(PARTS.filter((_, part) => dot(unusual, cover[part]) + bias[part] >= COVERED));
  }
}

/**
 * @param {number[]} one
 * @param {number[]} other
 */
function dot(one, other) {
  let sum = 0;
  for (let place = 0; place < one.length; place++) sum += one[place] * other[place];
  return sum;
}

/**
 * Return whether enough of a face is visible to measure its units.
 * @param {Floats} points
 * @param {number} score
 * @param {Floats} pose
 * @param {Picture} image
 */
function isMeasurable(points, score, [yaw, pitch], { width, height }) {
  if (score < MIN_SCORE) return false;
  let outside = 0;
  for (let point = 17; point < 68; point++) {
    const [x, y] = [points[2 * point], points[2 * point + 1]];
    if (x < 0 || y < 0 || x > width - 1 || y > height - 1) outside += 1;
  }
  const large = Math.hypot(points[72] - points[90], points[73] - points[91]) >= MIN_EYE_DISTANCE;
  return Math.abs(yaw) <= MAX_TURN.yaw && Math.abs(pitch) <= MAX_TURN.pitch && large && outside / 51 <= MAX_OUTSIDE;
}

/**
 * Return the spreads of a unit above the mean of neutral faces, by its keys: of both sides together, and of each.
 * @param {Unit} unit
 * @param {number[]} measured Of the subject's right and left side.
 * @param {Floats} pose
 * @returns {[string, number][]}
 */
function spreadsOfUnit({ keys, slopes, spread, sideSpread }, measured, pose) {
  const [yaw, pitch] = [pose[0] / 30, pose[1] / 30];
  const above = measured.map((value, side) => value - dot([1, pitch, pitch ** 2, side ? -yaw : yaw, yaw ** 2], slopes));
  const spreads = [(above[0] + above[1]) / 2 / spread, above[0] / sideSpread, above[1] / sideSpread];
  return keys.map((key, place) => [key, spreads[place]]);
}
