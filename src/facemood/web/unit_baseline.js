// Action units relative to each person's own face: some have high brows or thin lips, as tracking/unit_baseline.py has it.

/** @import { ActionUnits } from "./action_units.js" */

/** Seconds after which the running mean of a person has half the weight of a full baseline. */
const TRUSTED_SECONDS = 10;

/** Spreads to which the running mean clips each face, so that a long smile does not become the baseline. */
const MOST_SPREAD = 1.5;

/** Longest time, in seconds, for which a frame counts. */
const LONGEST_FRAME = 1;

export class UnitBaseline {
  /**
   * Of each person and unit: the sum of spreads times seconds, and the seconds.
   * @type {Map<number, Map<string, { sum: number, seconds: number }>>}
   */
  #people = new Map();

  /** @type {number | null} */
  #last = null;

  #passed = 0;

  /** @param {() => ActionUnits | null} units Turns intensities into spreads and back, once action units are measured. */
  constructor(units) {
    this.units = units;
  }

  /**
   * Begin the next frame.
   * @param {number} time Seconds since the source began.
   */
  begin(time) {
    this.#passed = this.#last === null ? 0 : Math.min(Math.max(time - this.#last, 0), LONGEST_FRAME);
    this.#last = time;
  }

  /**
   * Add one person's units in the frame that has begun to the running mean, and return them relative to it.
   * @param {number} track The person.
   * @param {Record<string, number>} units Intensities 0..1.
   */
  compare(track, units) {
    const scale = this.units();
    if (!scale) return units;
    const known = this.#people.get(track) ?? new Map();
    this.#people.set(track, known);
    return Object.fromEntries(Object.entries(units).map(([key, value]) => {
      const spreads = scale.spreadsOf(key, value);
      const { sum, seconds } = known.get(key) ?? { sum: 0, seconds: 0 };
      const now = { sum: sum + Math.min(Math.max(spreads, -MOST_SPREAD), MOST_SPREAD) * this.#passed, seconds: seconds + this.#passed };
      known.set(key, now);
      return [key, scale.intensityOf(key, spreads - now.sum / (now.seconds + TRUSTED_SECONDS))];
    }));
  }
}
