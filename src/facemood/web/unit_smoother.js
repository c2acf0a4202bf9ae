// Each person's action units smoothed over time; one that is briefly hidden keeps its value, as tracking/unit_smooth.py has
// it.

/** @import { ActionUnits } from "./action_units.js" */

/** Time constant of the fast average, in seconds. */
const FAST_SECONDS = 0.05;

/** Spreads between the fast and the smoothed average up to which the difference counts as noise. */
const NOISE_BELOW = 0.4;

/** Spreads from which it counts as a change. */
const CHANGE_FROM = 0.8;

/** Seconds for which a unit that is not measured keeps its value. */
const HOLD = 0.3;

/** The unit that is not smoothed: a blink is as short as noise. */
const UNSMOOTHED = "AU43";

/**
 * What is remembered of a unit: averages in spreads, and when it was last measured.
 * @typedef {{ smoothed: number, fast: number, seen: number }} UnitState
 */

export class UnitSmoother {
  /** @type {Map<number, { units: Map<string, UnitState>, lastSeen: number }>} */
  #people = new Map();

  #clock = 0;

  /** @type {number | null} */
  #last = null;

  /**
   * @param {number} seconds Time constant while little changes; 0 smooths nothing, and holds nothing.
   * @param {() => ActionUnits | null} units Turns intensities into spreads and back, once action units are measured.
   */
  constructor(seconds, units) {
    this.seconds = seconds;
    this.units = units;
  }

  /**
   * Begin the next frame.
   * @param {number} time Seconds since the source began. If it goes back, the clock stands still.
   */
  begin(time) {
    this.#clock += this.#last === null ? 0 : Math.max(time - this.#last, 0);
    this.#last = time;
    for (const [track, { lastSeen }] of this.#people) if (this.#clock - lastSeen > HOLD) this.#people.delete(track);
  }

  /**
   * Smooth one person's units in the frame that has begun.
   * @param {number} track The person.
   * @param {Record<string, number>} measured Intensities 0..1.
   * @returns {Record<string, number>}
   */
  smooth(track, measured) {
    const units = this.units();
    const known = this.#people.get(track);
    if (!units || this.seconds === 0 || (!known && !Object.keys(measured).length)) return measured;
    const person = known ?? { units: new Map(), lastSeen: this.#clock };
    this.#people.set(track, person);
    const passed = this.#clock - person.lastSeen;
    person.lastSeen = this.#clock;
    for (const [key, value] of Object.entries(measured)) {
      person.units.set(key, this.#follow(key, units.spreadsOf(key, value), person.units.get(key), passed));
    }
    const shown = units.keys.filter((key) => this.#clock - (person.units.get(key)?.seen ?? -Infinity) <= HOLD);
    return Object.fromEntries(shown.map((key) => [key, units.intensityOf(key, person.units.get(key)?.smoothed ?? NaN)]));
  }

  /**
   * Return what is remembered of a unit after a frame.
   * @param {string} key
   * @param {number} now In spreads.
   * @param {UnitState | undefined} state
   * @param {number} passed Seconds since the person's last frame.
   * @returns {UnitState}
   */
  #follow(key, now, state, passed) {
    const seen = this.#clock;
    if (!state || key.startsWith(UNSMOOTHED) || seen - state.seen > HOLD) return { smoothed: now, fast: now, seen };
    const quick = Math.min(FAST_SECONDS, this.seconds);
    const fast = state.fast + (1 - Math.exp(-passed / quick)) * (now - state.fast);
    const change = Math.min(Math.max((Math.abs(fast - state.smoothed) - NOISE_BELOW) / (CHANGE_FROM - NOISE_BELOW), 0), 1);
    const rate = (1 - change) / this.seconds + change / quick;
    return { smoothed: state.smoothed + (1 - Math.exp(-passed * rate)) * (now - state.smoothed), fast, seen };
  }
}
