// The calm mode: what is shown of a person changes only if the change lasts.

/** @import { View } from "./people.js" */

/** Seconds for which another label must lead before it is shown. */
const LASTING = 2;

/** Seconds after which the numbers of the same label are shown anew. */
const RENEWED = 5;

/**
 * What is shown of a person, since when, and since when another label leads.
 * @typedef {{ shown: View, since: number, rival: string | null, leading: number }} Held
 */

/** Holds what is shown of each person. */
export class Calm {
  /** @type {Map<number, Held>} */
  #people = new Map();

  /**
   * Return what is shown of the faces of one result: their own boxes, and labels that have lasted.
   * @param {View[]} views
   * @param {number} time In seconds.
   */
  keep(views, time) {
    return views.map((view) => {
      const held = this.#people.get(view.key) ?? { shown: view, since: time, rival: null, leading: time };
      this.#people.set(view.key, held);
      update(held, view, time);
      return { ...held.shown, box: view.box, map: view.map };
    });
  }

  clear() {
    this.#people.clear();
  }
}

/**
 * Show another label if it has led for long enough, and the same one's numbers now and then.
 * @param {Held} held
 * @param {View} view
 * @param {number} time
 */
function update(held, view, time) {
  const same = view.label === held.shown.label;
  if (same || view.label !== held.rival) held.leading = time;
  held.rival = same ? null : view.label;
  const due = same ? time - held.since >= RENEWED : time - held.leading >= LASTING;
  if (due) Object.assign(held, { shown: view, since: time, rival: null });
}
