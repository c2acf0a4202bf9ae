// What a screen reader hears: changes of expression, at a calm pace.

const PACE = 4000;
const SETTLED = 800;

/** Says into a live region what changed, at most every few seconds, and only what has lasted a moment. */
export class Speaker {
  spoken = "";
  heard = "";
  since = 0;
  last = -PACE;

  /** @param {HTMLElement} region */
  constructor(region) {
    this.region = region;
  }

  /**
   * Tell what is seen now.
   * @param {{ name: string, label: string }[]} people
   */
  hear(people, now = performance.now()) {
    const alone = people.length === 1;
    const text = people.map(({ name, label }) => (alone ? label : `${name} ${label}`)).join(", ") || "Nobody in the picture";
    if (text !== this.heard) Object.assign(this, { heard: text, since: now });
    const settled = now - this.since >= SETTLED;
    if (text === this.spoken || !settled || now - this.last < PACE) return;
    Object.assign(this, { spoken: text, last: now });
    this.region.textContent = text;
  }

  /**
   * Say something at once.
   * @param {string} text
   */
  say(text) {
    this.region.textContent = text;
    this.spoken = "";
  }
}
