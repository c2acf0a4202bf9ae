// The part of the page that records: its button, what was recorded so far, and the links to the files.

import { t } from "./language.js";
import { part } from "./parts.js";
import { Recording, linksTo } from "./record.js";
import { press } from "./view.js";
import { clock } from "./words.js";

/**
 * @import { Hello, LiveResult } from "./messages.js"
 * @import { Draw } from "./record.js"
 */

/** Records what is shown while its button is pressed. */
export class RecordingBox {
  /** @type {Recording | null} */
  #recording = null;

  /**
   * @param {Draw} draw Draws image and overlay onto a canvas.
   * @param {(text: string) => void} say Announces a text.
   */
  constructor(draw, say) {
    this.draw = draw;
    this.say = say;
  }

  /**
   * Begin, or end.
   * @param {Hello | null} hello The engine's greeting.
   * @param {string} source
   */
  toggle(hello, source) {
    if (this.#recording) return this.end();
    if (!hello) return undefined;
    this.#recording = new Recording(hello, source, document.createElement("canvas"), this.draw);
    press("record", true);
    part("recording").hidden = false;
    part("downloads").replaceChildren();
    this.say(t("Recording"));
    return undefined;
  }

  /**
   * @param {LiveResult} result
   * @param {number} time In seconds.
   */
  add(result, time) {
    this.#recording?.add(result, time);
  }

  /** Show how much was recorded. */
  update() {
    if (!this.#recording) return;
    this.#label(`${t("Stop")} ${clock(this.#recording.seconds)}`);
    part("recorded").textContent = t("{count} results", { count: this.#recording.results.length });
  }

  /** End, and offer the files. */
  async end() {
    const recording = this.#recording;
    if (!recording) return;
    this.#recording = null;
    press("record", false);
    this.#label(t("Record"));
    const files = await recording.stop();
    part("recording").hidden = false;
    part("recorded").textContent = t("{time} with {count} results. The recording is only in this page until you save it.", { time: clock(recording.seconds), count: recording.results.length });
    part("downloads").replaceChildren(...linksTo(files, "facemood"));
    this.say(t("The recording can be downloaded."));
  }

  /** @param {string} text */
  #label(text) {
    const label = part("record").lastElementChild;
    if (label) label.textContent = text;
  }
}
