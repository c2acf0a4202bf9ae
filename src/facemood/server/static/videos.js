// Analysis of a whole video: upload, progress on the server, and links to the results.

import { t } from "./language.js";
import { make } from "./people.js";
import { problemOf } from "./problems.js";

/**
 * @import { Job } from "./messages.js"
 * @typedef {object} Parts
 * @property {HTMLElement} box
 * @property {HTMLElement} words
 * @property {HTMLProgressElement} progress
 * @property {HTMLElement} read
 * @property {HTMLElement} cancel
 * @property {HTMLElement} results
 */

/** Milliseconds between two requests for the progress. */
const POLL_INTERVAL = 700;
/** @type {Record<string, string>} */
const RESULT_NAMES = {
  "table.csv": "Table (CSV)", "table.parquet": "Table (Parquet)", "result.json": "JSON", "report.html": "Report",
  "annotated.mp4": "Annotated video",
};

/** The part of the page that uploads a video and follows its analysis. */
export class VideoUpload {
  /** @type {File | null} */
  file = null;

  /** @type {string | null} */
  id = null;

  /** @type {XMLHttpRequest | null} */
  request = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    parts.read.addEventListener("click", () => this.begin());
    parts.cancel.addEventListener("click", () => this.cancel());
  }

  /**
   * Offer to analyze a file; null hides the offer.
   * @param {File | null} file
   */
  offer(file) {
    this.cancel();
    this.file = file;
    this.parts.words.textContent = t("Analyze every frame and get a table, a report and an annotated video.");
    this.parts.results.replaceChildren();
    this.parts.box.hidden = file === null;
  }

  async begin() {
    if (!this.file) return;
    this.busy(true);
    this.parts.results.replaceChildren();
    try {
      const job = await this.upload(this.file);
      this.id = job.id;
      await this.follow(job);
    } catch (error) {
      this.say(/** @type {Error} */ (error).message);
    }
    this.busy(false);
  }

  /**
   * Upload the file. XMLHttpRequest reports the progress, which fetch does not.
   * @param {File} file
   * @returns {Promise<Job>}
   */
  upload(file) {
    return new Promise((done, fail) => {
      const request = (this.request = new XMLHttpRequest());
      const form = new FormData();
      form.append("video", file, "video");
      request.upload.onprogress = (event) => this.say(t("Uploading"), event.loaded / event.total);
      request.onload = () => {
        const body = JSON.parse(request.responseText || "{}");
        return request.status === 202 ? done(body) : fail(new Error(body.detail ?? t("The video was refused.")));
      };
      request.onerror = () => fail(new Error(t("The video could not be uploaded. It may be too large, or the server has stopped.")));
      request.onabort = () => fail(new Error(t("Cancelled.")));
      request.open("POST", "v1/videos?annotated=true");
      request.send(form);
    });
  }

  /** @param {Job} job */
  async follow(job) {
    while (job.state === "waiting" || job.state === "reading") {
      const share = job.frames_total ? job.frames_done / job.frames_total : 0;
      this.say(job.state === "waiting" ? t("Waiting for other videos") : t("{count} frames analyzed", { count: job.frames_done }), share);
      await new Promise((done) => setTimeout(done, POLL_INTERVAL));
      if (!this.id) throw new Error(t("Cancelled."));
      const answer = await fetch(`v1/videos/${job.id}`);
      if (!answer.ok) throw new Error(await problemOf(answer));
      job = await answer.json();
    }
    if (job.state !== "done") throw new Error(job.problem?.detail ?? t("Cancelled."));
    this.say(t("All {count} frames analyzed. Save the results before you close the video.", { count: job.frames_done }));
    this.parts.results.replaceChildren(...Object.entries(job.results).map(([name, address]) => this.link(name, address)));
  }

  /**
   * @param {string} name
   * @param {string} address
   */
  link(name, address) {
    const stem = (this.file?.name ?? "").replace(/\.[^.]*$/, "");
    return Object.assign(make("a", "tool small", t(RESULT_NAMES[name] ?? name)), { href: address, download: `${stem}-${name}` });
  }

  cancel() {
    this.request?.abort();
    if (this.id) fetch(`v1/videos/${this.id}`, { method: "DELETE" });
    this.id = null;
  }

  /** @param {boolean} yes */
  busy(yes) {
    this.parts.read.hidden = yes;
    this.parts.cancel.hidden = this.parts.progress.hidden = !yes;
  }

  /** @param {string} text */
  say(text, share = 0) {
    this.parts.words.textContent = text;
    this.parts.progress.value = share;
  }
}
