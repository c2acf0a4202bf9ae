// Each person's probabilities smoothed over time, and a steady label for display, as tracking/smooth.py has it.

import { argmax } from "./expression.js";

/** Time constant of the fast average, in seconds. */
const FAST_SECONDS = 0.05;

/** Total variation between the fast and the smoothed average up to which the difference counts as noise. */
const NOISE_BELOW = 0.12;

/** Total variation from which it counts as a change. */
const CHANGE_FROM = 0.22;

/** Probabilities are raised to this before their logarithm is taken. */
const MIN_PROBABILITY = 1e-4;

/** Seconds after which the state of a person who is not visible is dropped. */
const FORGET_SECONDS = 5;

/** How far another label must lead the display label, in probability. */
const MARGIN = 0.1;

/** Seconds after which a label that leads by 1 replaces the display label. */
const QUICK = 0.21;

/** Longest time, in seconds, for which the display label stays while another one leads it by the margin. */
const HOLD = 0.75;

/** Smallest lead that counts. */
const TINY = 1.1754943508222875e-38;

/**
 * What the smoother remembers of a person: averages of log-probabilities, the place of the display label, by how much
 * and for how long each label led it, and when the person was last visible.
 * @typedef {object} SmoothState
 * @property {number[]} smoothed
 * @property {number[]} fast
 * @property {number} displayed
 * @property {number[]} evidence
 * @property {number} behind
 * @property {number} lastSeen
 *
 * A smoothed prediction, and the place of the display label.
 * @typedef {{ probabilities: Float32Array, displayed: number }} Smoothed
 */

export class Smoother {
  /** @type {Map<number, SmoothState>} */
  #states = new Map();

  #clock = 0;

  /** @type {number | null} */
  #last = null;

  /** @param {number} seconds Time constant while little changes; 0 smooths nothing. */
  constructor(seconds) {
    this.seconds = seconds;
  }

  /**
   * Begin the next frame.
   * @param {number} time Seconds since the source began. If it goes back, the clock stands still.
   */
  begin(time) {
    this.#clock += this.#last === null ? 0 : Math.max(time - this.#last, 0);
    this.#last = time;
    for (const [key, state] of this.#states) {
      if (this.#clock - state.lastSeen > FORGET_SECONDS) this.#states.delete(key);
    }
  }

  /**
   * Smooth one person's prediction in the frame that has begun.
   * @param {number} track The person.
   * @param {Float32Array} raw The frame's probabilities.
   * @returns {Smoothed}
   */
  smooth(track, raw) {
    const logs = Array.from(raw, (value) => Math.log(Math.max(value, MIN_PROBABILITY)));
    let state = this.#states.get(track);
    if (!state) {
      const evidence = logs.map(() => 0);
      state = { smoothed: logs, fast: logs, displayed: argmax(raw), evidence, behind: 0, lastSeen: this.#clock };
      this.#states.set(track, state);
    }
    const passed = this.#clock - state.lastSeen;
    state.lastSeen = this.#clock;
    this.#follow(state, logs, passed);
    const probabilities = this.seconds > 0 ? Float32Array.from(normalize(state.smoothed)) : raw;
    choose(state, probabilities, raw, passed);
    return { probabilities, displayed: state.displayed };
  }

  /**
   * Update a person's averages, `passed` seconds after their last frame.
   * @param {SmoothState} state
   * @param {number[]} logs
   * @param {number} passed
   */
  #follow(state, logs, passed) {
    if (passed === 0 || this.seconds === 0) return;
    state.fast = mix(state.fast, logs, 1 - Math.exp(-passed / FAST_SECONDS));
    const [fast, slow] = [normalize(state.fast), normalize(state.smoothed)];
    const differ = fast.reduce((sum, value, label) => sum + Math.abs(value - slow[label]), 0) / 2;
    const change = Math.min(Math.max((differ - NOISE_BELOW) / (CHANGE_FROM - NOISE_BELOW), 0), 1);
    const rate = (1 - change) / this.seconds + change / Math.min(FAST_SECONDS, this.seconds);
    state.smoothed = mix(state.smoothed, logs, 1 - Math.exp(-passed * rate));
  }
}

/**
 * Change the display label if another one leads the smoothed probabilities, and has led for long enough.
 * @param {SmoothState} state
 * @param {Float32Array} smoothed
 * @param {Float32Array} raw
 * @param {number} passed
 */
function choose(state, smoothed, raw, passed) {
  const now = raw[state.displayed];
  state.evidence = state.evidence.map((sum, label) => Math.max(sum + passed * (Math.fround(raw[label] - now) - MARGIN), 0));
  const best = argmax(smoothed);
  if (Math.fround(smoothed[best] - smoothed[state.displayed]) < Math.max(MARGIN, TINY)) {
    state.behind = 0;
    return;
  }
  state.behind += passed;
  if (state.evidence[best] <= QUICK * (1 - MARGIN) && state.behind <= HOLD) return;
  Object.assign(state, { displayed: best, behind: 0, evidence: state.evidence.map(() => 0) });
}

/**
 * Move some values towards others.
 * @param {number[]} values
 * @param {number[]} to
 * @param {number} share
 */
function mix(values, to, share) {
  return values.map((value, place) => value + share * (to[place] - value));
}

/**
 * Turn log-probabilities, known up to a constant, into probabilities that sum to 1.
 * @param {number[]} logs
 */
function normalize(logs) {
  const powers = logs.map(Math.exp);
  const sum = powers.reduce((one, other) => one + other, 0);
  return powers.map((power) => power / sum);
}
