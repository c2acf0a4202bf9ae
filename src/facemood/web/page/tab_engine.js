// The engine that is this tab: a worker reads the images, and none leaves the device.

import { Pace } from "../../server/static/pace.js";
import { part } from "../../server/static/parts.js";
import { sizeOf } from "../../server/static/sources.js";
import { Reader } from "./reader.js";
import { roundedFace } from "./rounding.js";

/**
 * @import { Hello, LiveResult, Message, PageEngine, Results, Settings } from "../../server/static/messages.js"
 * @import { Moving } from "../../server/static/sources.js"
 * @import { Reading, Scene } from "./reader.js"
 * @import { RoundedColumn } from "./rounding.js"
 *
 * @typedef {Settings & { schema: number, columns: RoundedColumn[] }} TabSettings
 */

/** Smallest face that is looked for in each source, in pixels. Who sits at a camera is near; the time matters. */
const MIN_FACE = { camera: 48, screen: 24, video: 24 };

/** @implements {PageEngine} */
export class TabEngine {
  unplayable = "This browser cannot play the video. Convert it to MP4 (H.264) or WebM, then choose it again.";

  /** @type {(message: Message) => void} */
  onMessage = () => {};

  /** @type {(connected: boolean) => void} */
  onConnection = () => {};

  /** @type {Hello | null} */
  hello = null;

  #pace = new Pace();

  /** @type {Reader | null} */
  #reader = null;

  /** @type {Scene | null} */
  #scene = null;

  /** @type {RoundedColumn[]} */
  #columns = [];

  #reading = false;
  #session = 0;
  #frame = 0;

  /** @param {string} base The site's address. */
  constructor(base) {
    this.base = base;
    this.opening = Reader.open({ base }).then((reader) => (this.#reader = reader));
    this.opening.catch(() => {}); // whoever needs the reader is told
  }

  get waiting() {
    return this.#reader ? "Waiting for the first image" : "Loading the networks";
  }

  get free() {
    return this.#scene !== null && !this.#reading;
  }

  get pace() {
    return this.#pace.value;
  }

  describe() {
    part("where").textContent = "Nowhere. They are analyzed in this tab and never leave your device. Nothing is kept unless you record it.";
    part("video-hint").textContent = "Watch it with live predictions";
    part("more").hidden = true;
  }

  /** @returns {Promise<TabSettings>} */
  async settings() {
    const address = new URL("settings.json", this.base);
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) throw new Error(`${address} is missing. Copy the whole folder that 'facemood web' wrote.`);
    /** @type {TabSettings} */
    const settings = await answer.json();
    this.#columns = settings.columns;
    this.opening.then(
      (reader) => (this.hello = { type: "hello", info: reader.info, schema: settings.schema, columns: settings.columns, maps: false }),
      (error) => this.#complain(error),
    );
    return settings;
  }

  /** @param {Moving} kind */
  async open(kind) {
    const session = ++this.#session;
    try {
      const reader = await this.opening;
      const scene = await reader.scene({ minFace: MIN_FACE[kind] });
      if (session !== this.#session) return scene.close();
      this.#frame = 0;
      this.#scene = scene;
    } catch (error) {
      this.#complain(/** @type {Error} */ (error));
    }
    return undefined;
  }

  close() {
    this.#session += 1;
    this.#scene?.close().catch(() => {});
    this.#scene = null;
    this.#reading = false;
    this.#pace.clear();
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {Moving} kind
   */
  async take(video, kind) {
    const [scene, session, asked] = [this.#scene, this.#session, performance.now()];
    if (!scene) return;
    this.#reading = true;
    try {
      const time = kind === "video" ? video.currentTime : undefined;
      const reading = await scene.read(video, time, sizeOf(video, kind));
      if (session !== this.#session) return;
      this.#reading = false;
      this.#pace.add(asked);
      this.onMessage({ type: "result", ...this.#result("", reading) });
    } catch (error) {
      if (session === this.#session && video.readyState >= 2) this.#complain(/** @type {Error} */ (error));
    } finally {
      if (session === this.#session) this.#reading = false;
    }
  }

  map() {}

  /** @param {File[]} files */
  async readPhotos(files) {
    const reader = await this.opening;
    /** @type {Results} */
    const { results, failures } = { results: [], failures: [] };
    for (const file of files) {
      try {
        results.push(this.#result(file.name, await reader.readTimed(file)));
      } catch (error) {
        failures.push({ source: file.name, message: /** @type {Error} */ (error).message });
      }
    }
    return { results, failures };
  }

  offerVideo() {}

  /**
   * @param {string} source
   * @param {Reading} reading
   */
  #result(source, { faces, size }) {
    const rounded = faces.map((face) => roundedFace(face, this.#columns));
    return { source, frame: this.#frame++, timestamp: null, size, faces: rounded };
  }

  /** @param {Error} error */
  #complain({ message }) {
    this.onMessage({ type: "problem", frame: this.#frame, problem: { detail: message } });
  }
}
