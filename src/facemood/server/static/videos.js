// A whole video: it is sent to the server, read there frame by frame, and its results can be downloaded.

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

const ASKED = 700;
/** @type {Record<string, string>} */
const WORDS = {
  "table.csv": "Table (CSV)", "table.parquet": "Table (Parquet)", "result.json": "JSON", "report.html": "Report",
  "annotated.mp4": "Annotated video",
};

/** The part of the page that has a video read. */
export class VideoReader {
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
   * Offer to read a file.
   * @param {File | null} file
   */
  offer(file) {
    this.cancel();
    this.file = file;
    this.parts.words.textContent =
      "Read every frame of it, and get a table, a report and a video with the readings drawn on it.";
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
   * Send the file; XMLHttpRequest tells how far it is, which fetch does not.
   * @param {File} file
   * @returns {Promise<Job>}
   */
  upload(file) {
    return new Promise((done, fail) => {
      const request = (this.request = new XMLHttpRequest());
      const form = new FormData();
      form.append("video", file, "video");
      request.upload.onprogress = (event) => this.say("Sending it", event.loaded / event.total);
      request.onload = () => {
        const body = JSON.parse(request.responseText || "{}");
        return request.status === 202 ? done(body) : fail(new Error(body.detail ?? "The video was refused."));
      };
      request.onerror = () => fail(new Error("The video could not be sent; it may be too large, or the server has gone."));
      request.onabort = () => fail(new Error("Cancelled."));
      request.open("POST", "/v1/videos?annotated=true");
      request.send(form);
    });
  }

  /** @param {Job} job */
  async follow(job) {
    while (job.state === "waiting" || job.state === "reading") {
      const share = job.frames_total ? job.frames_done / job.frames_total : 0;
      this.say(job.state === "waiting" ? "It waits for its turn" : `${job.frames_done} frames are read`, share);
      await new Promise((done) => setTimeout(done, ASKED));
      if (!this.id) throw new Error("Cancelled.");
      const answer = await fetch(`/v1/videos/${job.id}`);
      if (!answer.ok) throw new Error(await problemOf(answer));
      job = await answer.json();
    }
    if (job.state !== "done") throw new Error(job.problem?.detail ?? "Cancelled.");
    this.say(`All ${job.frames_done} frames are read. Save the results while the video is open here.`);
    this.parts.results.replaceChildren(...Object.entries(job.results).map(([name, address]) => this.link(name, address)));
  }

  /**
   * @param {string} name
   * @param {string} address
   */
  link(name, address) {
    const stem = (this.file?.name ?? "").replace(/\.[^.]*$/, "");
    return Object.assign(make("a", "tool small", WORDS[name] ?? name), { href: address, download: `${stem}-${name}` });
  }

  cancel() {
    this.request?.abort();
    if (this.id) fetch(`/v1/videos/${this.id}`, { method: "DELETE" });
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
