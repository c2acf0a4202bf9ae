// Reads every frame of a video in this tab: progress, a stop, and the table of what was read.

import { t } from "../../server/static/language.js";
import { part } from "../../server/static/parts.js";
import { filesOf, linksTo } from "../../server/static/record.js";
import { clock } from "../../server/static/words.js";
import { VideoFrames } from "./video_frames.js";

/**
 * @import { Hello, Result } from "../../server/static/messages.js"
 * @import { Reader, Reading } from "./reader.js"
 *
 * What it needs of the tab's engine.
 * @typedef {object} Engine
 * @property {() => Promise<Reader>} reader
 * @property {Hello | null} hello
 * @property {boolean} units
 * @property {(source: string, reading: Reading, frame: number) => Promise<Result>} result
 */

/** Seconds for which a person who is not visible keeps the track: that of videos in Python. */
const PATIENCE = 1.5;

/** What is said before a video is read. */
const OFFER = "Analyze every frame in this tab, with its true time, and get a table. It takes longer than the video.";

/** The box *The whole video* of the page. */
export class TabVideo {
  /** @type {File | null} */
  #file = null;

  /** @type {AbortController | null} */
  #running = null;

  /** @param {Engine} engine */
  constructor(engine) {
    this.engine = engine;
    part("video-read").addEventListener("click", () => this.#begin());
    part("video-cancel").addEventListener("click", () => this.#running?.abort());
  }

  /**
   * Offer to read a file; null hides the offer.
   * @param {File | null} file
   */
  offer(file) {
    this.#running?.abort();
    this.#running = null;
    this.#file = file;
    this.#say(t(OFFER));
    part("video-results").replaceChildren();
    part("whole-video").hidden = file === null;
  }

  async #begin() {
    const file = this.#file;
    if (!file || this.#running) return;
    const running = (this.#running = new AbortController());
    /** @type {Result[]} */
    const results = [];
    part("video").pause(); // both at once would take twice as long
    part("video-results").replaceChildren();
    this.#busy(true);
    try {
      await this.#read(file, running.signal, results);
      if (running.signal.aborted) this.#finish(file, results, running, t("Stopped after {frames}.", { frames: framesOf(results) }));
      else this.#finish(file, results, running, t("All {frames} analyzed.", { frames: framesOf(results) }));
    } catch (error) {
      this.#finish(file, results, running, `${/** @type {Error} */ (error).message} ${results.length ? t("{frames} had been analyzed.", { frames: framesOf(results) }) : ""}`);
    }
  }

  /**
   * Read frame after frame.
   * @param {File} file
   * @param {AbortSignal} signal
   * @param {Result[]} results To which each frame is added.
   */
  async #read(file, signal, results) {
    this.#say(t("Loading the networks"));
    const reader = await this.engine.reader();
    const scene = await reader.scene({ patience: PATIENCE });
    scene.actionUnits = this.engine.units;
    const frames = await VideoFrames.open(file, signal, (waiting) => waiting && this.#say(t("Waiting. Show this page again to go on."), NaN));
    try {
      for await (const { bitmap, time } of frames) {
        const reading = await scene.read(bitmap, time);
        bitmap.close();
        const result = await this.engine.result(file.name, reading, results.length);
        results.push({ ...result, timestamp: Number(time.toFixed(3)) });
        const end = frames.duration ? ` / ${clock(frames.duration)}` : "";
        this.#say(t("{frames} analyzed, {time}", { frames: framesOf(results), time: `${clock(time)}${end}` }), time / frames.duration);
      }
    } finally {
      frames.close();
      await scene.close().catch(() => {});
    }
  }

  /**
   * Say how it ended, and offer what was read.
   * @param {File} file
   * @param {Result[]} results
   * @param {AbortController} running
   * @param {string} text
   */
  #finish(file, results, running, text) {
    if (running !== this.#running) return; // the video was closed
    this.#running = null;
    this.#busy(false);
    const { hello } = this.engine;
    const read = results.length > 0 && hello !== null;
    this.#say(read ? `${text} ${t("Save the results before you close the video.")}` : text);
    if (read) part("video-results").replaceChildren(...linksTo(filesOf(hello, results), file.name.replace(/\.[^.]*$/, "")));
  }

  /** @param {boolean} yes */
  #busy(yes) {
    part("video-read").hidden = yes;
    part("video-cancel").hidden = part("video-progress").hidden = !yes;
  }

  /**
   * @param {string} text
   * @param {number} share Of the video, 0..1; NaN leaves it as it is.
   */
  #say(text, share = 0) {
    part("video-words").textContent = text;
    if (!Number.isNaN(share)) part("video-progress").value = Math.min(1, share);
  }
}

/** @param {Result[]} results */
function framesOf({ length }) {
  return t(length === 1 ? "{count} frame" : "{count} frames", { count: length });
}
