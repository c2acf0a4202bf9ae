// The engine that is this tab: a worker reads the images, and none leaves the device.

import { t } from "../../server/static/language.js";
import { Pace } from "../../server/static/pace.js";
import { part } from "../../server/static/parts.js";
import { MOST_THREADS, Reader } from "./reader.js";
import { roundedFace } from "./rounding.js";
import { TabVideo } from "./tab_video.js";

/**
 * @import { Hello, Message, PageEngine, Result, Results, Settings, Shot } from "../../server/static/messages.js"
 * @import { Moving } from "../../server/static/sources.js"
 * @import { ReadOptions } from "../engine.js"
 * @import { Provider } from "../runtime.js"
 * @import { Reading, Scene } from "./reader.js"
 * @import { RoundedColumn } from "./rounding.js"
 *
 * @typedef {Settings & { schema: number, columns: RoundedColumn[], reading: Partial<ReadOptions>, provider: Provider }} TabSettings
 */

/** Smallest face that is looked for in each source, in pixels. Who sits at a camera is near; the time matters. */
const MIN_FACE = { camera: 48, screen: 24, video: 24 };

/** @implements {PageEngine} */
export class TabEngine {
  /** @type {(message: Message) => void} */
  onMessage = () => {};

  /** @type {(connected: boolean) => void} */
  onConnection = () => {};

  /** @type {Hello | null} */
  hello = null;

  #pace = new Pace();

  /** @type {Promise<TabSettings> | null} */
  #settings = null;

  /** @type {Promise<Reader> | null} */
  #opening = null;

  /** @type {Reader | null} */
  #reader = null;

  /** @type {Scene | null} */
  #scene = null;

  #videos = new TabVideo(this);

  #mapped = false;

  /** Whether action units are asked for. */
  units = false;

  #reading = false;
  #session = 0;
  #frame = 0;

  /** @param {string} base The site's address. */
  constructor(base) {
    this.base = base;
  }

  get waiting() {
    return t(this.#reader ? "Waiting for the first image" : "Loading the networks");
  }

  get unplayable() {
    return t("This browser cannot play the video: it is damaged, or of a kind that the browser does not know. Convert it to MP4 (H.264) or WebM, then choose it again.");
  }

  get free() {
    return this.#scene !== null && !this.#reading;
  }

  get pace() {
    return this.#pace.value;
  }

  describe() {
    part("where").textContent = t("Nowhere. They are analyzed in this tab and never leave your device. Nothing is kept unless you record it.");
    part("video-hint").textContent = t("Watch it with live predictions, or analyze every frame");
    part("more").hidden = true;
    part("engine").hidden = false;
    this.#showRuntime();
  }

  /** Say what runs the networks, or why that is not what was asked for. */
  #showRuntime() {
    if (!this.#reader) return;
    const { device, threads, fallback } = this.#reader.info;
    const wasm = threads > 1 ? t("WebAssembly, {threads} threads", { threads }) : "WebAssembly";
    part("engine").textContent = ` · ${fallback ?? (device === "webgpu" ? "WebGPU" : wasm)}`;
  }

  /** @returns {Promise<TabSettings>} */
  async settings() {
    const settings = await (this.#settings ??= loadSettings(this.base).catch((error) => {
      this.#settings = null;
      throw error;
    }));
    this.reader().catch((error) => this.#complain(error));
    return settings;
  }

  /**
   * Return the reader; it is opened where it is not open, and once more where that failed or it has broken down.
   * @returns {Promise<Reader>}
   */
  reader() {
    if (this.#reader?.closed) this.#opening = this.#reader = null;
    this.#opening ??= this.#openReader().catch((error) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #openReader() {
    const { reading, schema, columns, maps, provider } = await this.settings();
    this.#reader = await Reader.open({ base: this.base, options: reading, threads: MOST_THREADS, provider });
    this.hello = { type: "hello", info: this.#reader.info, schema, columns, maps };
    this.#showRuntime();
    return this.#reader;
  }

  /** @param {Moving} kind */
  async open(kind) {
    const session = ++this.#session;
    try {
      const reader = await this.reader();
      const { reading } = await this.settings();
      const scene = await reader.scene({ minFace: Math.max(MIN_FACE[kind], reading.minFace ?? 0) });
      if (session !== this.#session) return scene.close();
      this.#frame = 0;
      this.#scene = scene;
      Object.assign(scene, { maps: this.#mapped, actionUnits: this.units });
    } catch (error) {
      if (session === this.#session) this.#complain(/** @type {Error} */ (error));
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

  /** @param {Shot} shot */
  async take({ source, size, time }) {
    const [scene, session, asked] = [this.#scene, this.#session, performance.now()];
    if (!scene) return;
    this.#reading = true;
    try {
      const reading = await scene.read(source, time, size);
      if (session !== this.#session) return;
      this.#reading = false;
      this.#pace.add(asked);
      this.onMessage({ type: "result", ...(await this.result("", reading, this.#frame++)) });
    } catch (error) {
      if (session === this.#session) await this.#recover(/** @type {Error} */ (error), source);
    } finally {
      if (session === this.#session) this.#reading = false;
    }
  }

  /**
   * Say what went wrong while a source is read. Networks that broke down are opened again with the next source.
   * @param {Error} error
   * @param {HTMLVideoElement | HTMLCanvasElement} source
   */
  async #recover(error, source) {
    const gone = "readyState" in source && source.readyState < 2; // the video has no image now
    if (this.#reader?.closed) this.#scene = null;
    if (!gone) this.#complain(error);
  }

  /** @param {boolean} wanted */
  map(wanted) {
    this.#mapped = wanted;
    if (this.#scene) this.#scene.maps = wanted;
  }

  /** @param {boolean} wanted */
  measureUnits(wanted) {
    this.units = wanted;
    if (this.#scene) this.#scene.actionUnits = wanted;
  }

  /**
   * @param {File[]} files
   * @param {{ maps: boolean, units: boolean }} wanted
   */
  async readPhotos(files, { maps, units }) {
    /** @type {Pick<Results, "results" | "failures">} */
    const { results, failures } = { results: [], failures: [] };
    for (const file of files) {
      const reader = await this.reader();
      try {
        results.push(await this.result(file.name, await reader.readTimed(file, { maps, actionUnits: units }), 0));
      } catch (error) {
        failures.push({ source: file.name, message: /** @type {Error} */ (error).message });
      }
    }
    return { results, failures, info: this.hello?.info ?? {} };
  }

  /** @param {File | null} file */
  offerVideo(file) {
    this.#videos.offer(file);
  }

  /**
   * Return what was read as it is reported, with the decimals of the table.
   * @param {string} source
   * @param {Reading} reading
   * @param {number} frame
   * @returns {Promise<Result>}
   */
  async result(source, { faces, size }, frame) {
    const { columns } = await this.settings();
    return { source, frame, timestamp: null, size, faces: faces.map((face) => roundedFace(face, columns)) };
  }

  /** @param {Error} error */
  #complain({ message }) {
    this.onMessage({ type: "problem", frame: this.#frame, problem: { detail: message } });
  }
}

/**
 * Load what the page must know.
 * @param {string} base
 * @returns {Promise<TabSettings>}
 */
async function loadSettings(base) {
  const address = new URL("settings.json", base);
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) throw new Error(`${address} cannot be loaded: it is missing, or a Content Security Policy of the host blocks it. Copy the whole folder that 'facemood web' wrote, or allow connect-src 'self'.`);
  return answer.json();
}
