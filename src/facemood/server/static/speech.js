// Announcements for screen readers: changes of expression, not too often.

import { t } from "./language.js";

/** Shortest time between two announcements, in milliseconds: usually, and in the calm mode. */
const INTERVAL = { usual: 4000, calm: 12_000 };

/** How long expressions must stay the same before they are announced, in milliseconds. */
const HOLD = { usual: 800, calm: 2000 };

/** Announces changes in a live region, at most every few seconds, and only those that last. */
export class Speaker {
  spoken = "";
  current = "";
  since = 0;
  last = -INTERVAL.calm;
  calm = false;

  /** @param {HTMLElement} region */
  constructor(region) {
    this.region = region;
  }

  /**
   * Update the current expressions, and announce them if it is time.
   * @param {{ name: string, label: string }[]} faces
   */
  update(faces, now = performance.now()) {
    const text = describeFaces(faces) || t("No face in the image");
    if (text !== this.current) Object.assign(this, { current: text, since: now });
    const pace = this.calm ? "calm" : "usual";
    const steady = now - this.since >= HOLD[pace];
    if (text === this.spoken || !steady || now - this.last < INTERVAL[pace]) return;
    Object.assign(this, { spoken: text, last: now });
    this.region.textContent = text;
  }

  /**
   * Announce a text at once.
   * @param {string} text
   */
  say(text) {
    this.region.textContent = text;
    this.spoken = "";
  }
}

/**
 * The label of one face, or the name and label of each of several.
 * @param {{ name: string, label: string }[]} faces
 */
export function describeFaces(faces) {
  return faces.map(({ name, label }) => (faces.length === 1 ? t(label) : `${name} ${t(label)}`)).join(", ");
}
