// How many images are read per second, and how long each takes.

/** How many answers the displayed rate and delay are averaged over. */
const AVERAGED = 12;

/** Milliseconds after the last answer from which on there is no rate. */
const STALE = 2000;

export class Pace {
  /** @type {{ when: number, delay: number }[]} */
  answers = [];

  /**
   * Count an answer.
   * @param {number} asked When its image was taken, in milliseconds.
   */
  add(asked) {
    const when = performance.now();
    this.answers.push({ when, delay: when - asked });
    if (this.answers.length > AVERAGED) this.answers.shift();
  }

  clear() {
    this.answers = [];
  }

  /** Results per second, and milliseconds from an image to its result. */
  get value() {
    const [first, last] = [this.answers[0], this.answers.at(-1)];
    if (!last || performance.now() - last.when > STALE) return { rate: 0, delay: 0 };
    const rate = this.answers.length > 1 ? ((this.answers.length - 1) * 1000) / (last.when - first.when) : 0;
    return { rate, delay: this.answers.reduce((sum, answer) => sum + answer.delay, 0) / this.answers.length };
  }
}
