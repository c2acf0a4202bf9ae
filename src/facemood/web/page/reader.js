// Reads faces in the browser: opens the worker with the networks, and sends it pictures. See docs/browser.md.

/**
 * @import { Face, ReadOptions } from "../engine.js"
 * @import { Provider } from "../runtime.js"
 * @import { SceneOptions } from "../scene.js"
 *
 * What can be read: an element, a canvas, a bitmap, pixels, or a picture file.
 * @typedef {ImageBitmapSource} Source
 *
 * What was read of one picture; times in milliseconds.
 * @typedef {{ faces: Face[], size: [number, number], speed: { pixels: number, total: number } }} Reading
 *
 * What the results depend on, and what reads: WebAssembly or WebGPU, and on how many threads.
 * A fallback says why that is not what was asked for.
 * @typedef {{ model: string, labels: string[], head: string, prior: string, device: Provider, threads: number, fallback?: string, trial?: Trial["trial"] } & Record<string, unknown>} Info
 *
 * What a reader is opened with: the site's address, by default where this file lies; the model, by default the site's own;
 * how pictures are read where nothing else is asked for; the most threads, 1 by default: more are used only in a page that
 * is isolated from others, and only if they are quicker in a trial; what runs the networks. A site has WebGPU if it was
 * written with it; where the browser has none, WebAssembly runs them, and `info.fallback` says why.
 * @typedef {{ base?: string | URL, model?: string, options?: Partial<ReadOptions>, threads?: number, provider?: Provider }} Opening
 *
 * The same as the worker is told it.
 * @typedef {{ base: string, model?: string, options?: Partial<ReadOptions>, provider: Provider }} WorkerSettings
 *
 * How many threads are used since a trial, and its milliseconds on one and on several; or why several cannot start.
 * @typedef {{ threads: number, trial?: { one: number, several: number }, fallback?: string }} Trial
 */

/** How pictures are decoded: their pixels as they are in the file, upright. */
const DECODING = /** @type {const} */ ({ colorSpaceConversion: "none", premultiplyAlpha: "none" });

/** Most threads: networks as small as these have no work for more. */
export const MOST_THREADS = 4;

/** Several threads must take a smaller share of the time of one: they take cores from the rest of the page. */
const QUICKER = 0.8;

/** Where the browser keeps what a trial of threads told, for each site. */
const TRIALS = "facemood threads";

/** A reader of faces. All work is done in a worker; no picture leaves the tab. */
export class Reader {
  /** @type {Map<number, { done: (value: any) => void, fail: (error: Error) => void }>} */
  #waiting = new Map();

  #count = 0;

  /** @param {Worker} worker */
  constructor(worker) {
    this.worker = worker;
    /** @type {Info} */
    this.info = { model: "", labels: [], head: "", prior: "", device: "wasm", threads: 1 };
    /** Whether the model can tell which parts of a face are evidence for its label. */
    this.canMap = false;
    /** Whether the worker has stopped, and another reader must be opened. */
    this.closed = false;
    /** Why it has stopped. */
    this.reason = new Error("The reader was closed.");
    worker.onmessage = ({ data }) => this.#settle(data);
    worker.onerror = (event) => {
      this.#stop(new Error(`The worker cannot run (${event.message || "its file is missing, or a policy of the host blocks it"}). Reload the page; if that does not help, copy its files to the host again.`));
    };
  }

  /**
   * Open the networks of a site that `facemood web` wrote.
   * @param {Opening} [settings]
   * @returns {Promise<Reader>}
   * @throws {Error} A file is missing, damaged or blocked, or the browser is too old.
   */
  static async open({ base = new URL("../../../", import.meta.url), model, options, threads = 1, provider = "wasm" } = {}) {
    const missing = ["Worker", "OffscreenCanvas", "WebAssembly", "DecompressionStream"].filter((name) => !(name in globalThis));
    if (missing.length) throw new Error(`This browser is too old: it has no ${missing.join(", ")}. Update it, or use another one.`);
    const settings = { base: new URL(base, location.href).href, model, options, provider };
    const most = globalThis.crossOriginIsolated ? Math.min(threads, navigator.hardwareConcurrency, MOST_THREADS) : 1;
    const known = most > 1 ? recallTrial(settings, most) : null;
    if (known) return Reader.#openAsTried(settings, most, known);
    const reader = await Reader.#openWorker({ ...settings, threads: 1 });
    return most > 1 && reader.info.device === "wasm" ? Reader.#tryThreads(reader, settings, most) : reader;
  }

  /**
   * Open the networks with the threads that were quicker in a former trial.
   * @param {WorkerSettings} settings
   * @param {number} most
   * @param {Trial} known
   */
  static async #openAsTried(settings, most, { threads, trial, fallback }) {
    const open = (/** @type {number} */ count) => Reader.#openWorker({ ...settings, threads: count });
    if (threads > 1) {
      const several = await open(threads).catch((/** @type {Error} */ error) => error);
      if (several instanceof Error) return keepFailure(await open(1), settings, most, several);
      return Object.assign(several, { info: { ...several.info, trial } });
    }
    const reader = await open(1);
    if (fallback !== undefined) return reader.info.device === "wasm" ? withFallback(reader, fallback) : reader;
    return Object.assign(reader, { info: { ...reader.info, trial } });
  }

  /**
   * Open the networks once more with several threads, and return the quicker reader. What was quicker is remembered.
   * @param {Reader} reader One with one thread.
   * @param {WorkerSettings} settings
   * @param {number} most
   */
  static async #tryThreads(reader, settings, most) {
    const other = await Reader.#openWorker({ ...settings, threads: most }).catch((/** @type {Error} */ error) => error);
    if (other instanceof Error) return keepFailure(reader, settings, most, other);
    const trial = { one: await reader.#ask("time", {}), several: await other.#ask("time", {}) };
    const [kept, left] = trial.several < QUICKER * trial.one ? [other, reader] : [reader, other];
    left.close();
    keepTrial(settings, most, { threads: kept === other ? most : 1, trial });
    return Object.assign(kept, { info: { ...kept.info, trial } });
  }

  /**
   * Open the networks in a new worker.
   * @param {WorkerSettings & { threads: number }} settings
   */
  static async #openWorker(settings) {
    const reader = new Reader(new Worker(new URL("../worker.js", import.meta.url), { type: "module" }));
    try {
      const { info, maps } = await reader.#ask("open", settings);
      return Object.assign(reader, { info, canMap: maps });
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  /**
   * Read the faces of one picture.
   * @param {Source} source
   * @param {Partial<ReadOptions>} [options]
   * @returns {Promise<Face[]>} Largest first, in pixels of the picture.
   * @throws {Error} The picture cannot be decoded, or is too large.
   */
  async read(source, options) {
    return (await this.readTimed(source, options)).faces;
  }

  /**
   * Read one picture, and tell its size and how long that took.
   * @param {Source} source
   * @param {Partial<ReadOptions>} [options]
   * @returns {Promise<Reading>}
   */
  async readTimed(source, options) {
    const bitmap = await decode(source);
    return this.#ask("photo", { bitmap, options }, [bitmap]);
  }

  /**
   * Begin a video, camera or screen: people have numbers, and their predictions are smoothed.
   * @param {Partial<ReadOptions> & SceneOptions} [options]
   * @returns {Promise<Scene>}
   */
  async scene(options) {
    const scene = ++this.#count;
    await this.#ask("begin", { scene, options });
    const { maps = false, actionUnits = false } = options ?? {};
    return Object.assign(new Scene((call, values, moved) => this.#ask(call, { scene, ...values }, moved)), { maps, actionUnits });
  }

  /** Stop the worker. What is still being read fails. */
  close() {
    this.#stop(this.reason);
  }

  /**
   * @param {string} call
   * @param {object} values
   * @param {Transferable[]} [moved]
   * @returns {Promise<any>}
   */
  #ask(call, values, moved = []) {
    if (this.closed) return Promise.reject(this.reason);
    const id = ++this.#count;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail });
      this.worker.postMessage({ id, call, values }, moved);
    });
  }

  /** @param {{ id: number, value?: unknown, error?: string, broken?: boolean }} answer */
  #settle({ id, value, error, broken }) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.done(value);
    else waiting?.fail(new Error(error));
    if (broken) this.#stop(new Error(error));
  }

  /**
   * Stop the worker, and let what is still being read fail.
   * @param {Error} error
   */
  #stop(error) {
    Object.assign(this, { closed: true, reason: error });
    this.worker.terminate();
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }
}

/** The frames of one video, camera or screen, in order. */
export class Scene {
  #began = performance.now();

  /** Whether faces have an activation map. */
  maps = false;

  /** Whether faces have head pose and action units; they are loaded when they are first asked for. */
  actionUnits = false;

  /** @param {(call: string, values: object, moved?: Transferable[]) => Promise<any>} ask */
  constructor(ask) {
    this.ask = ask;
  }

  /**
   * Read the next frame.
   * @param {Source} source
   * @param {number} [time] Seconds since the source began; by default since the scene did.
   * @param {[number, number]} [size] Width and height at which it is read, in pixels; by default its own.
   * @returns {Promise<Reading>} Its faces, largest first, in pixels of that size.
   */
  async read(source, time = (performance.now() - this.#began) / 1000, size) {
    const bitmap = await decode(source, size);
    return this.ask("frame", { bitmap, time, maps: this.maps, actionUnits: this.actionUnits }, [bitmap]);
  }

  /** Forget the people. */
  async close() {
    await this.ask("end", {});
  }
}

/**
 * Let a reader tell why it has one thread only.
 * @param {Reader} reader
 * @param {string} reason
 */
function withFallback(reader, reason) {
  const fallback = `One thread reads here: ${reason}`;
  return Object.assign(reader, { info: { ...reader.info, fallback } });
}

/**
 * Let a reader tell why several threads cannot start, and remember it: the next visit need not wait for them.
 * @param {Reader} reader One with one thread.
 * @param {WorkerSettings} settings
 * @param {number} most
 * @param {Error} error
 */
function keepFailure(reader, settings, most, { message }) {
  keepTrial(settings, most, { threads: 1, fallback: message });
  return withFallback(reader, message);
}

/**
 * @param {Source} source
 * @param {[number, number]} [size]
 * @throws {Error} It cannot be decoded.
 */
async function decode(source, size) {
  const resizing = size && /** @type {const} */ ({ resizeWidth: size[0], resizeHeight: size[1], resizeQuality: "medium" });
  try {
    return await createImageBitmap(source, { ...DECODING, ...resizing });
  } catch (error) {
    if ("videoWidth" in source && source.readyState >= source.HAVE_CURRENT_DATA) return drawn(source, size);
    throw new Error(`The picture cannot be decoded: it is damaged, too large, or of a kind that this browser does not know (${/** @type {Error} */ (error).message}).`, { cause: error });
  }
}

/**
 * Return the image of a video by way of a canvas. Chromium makes no bitmaps of a playing video any more once it has lost the
 * process that draws.
 * @param {HTMLVideoElement} video
 * @param {[number, number]} [size]
 */
function drawn(video, [width, height] = [video.videoWidth, video.videoHeight]) {
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingQuality = "medium";
  context.drawImage(video, 0, 0, width, height);
  return canvas.transferToImageBitmap();
}

/**
 * Return what a former trial told under the same circumstances.
 * @param {WorkerSettings} settings
 * @param {number} most
 * @returns {Trial | null}
 */
function recallTrial(settings, most) {
  try {
    const { key, of } = trialOf(settings, most);
    const known = JSON.parse(localStorage.getItem(key) ?? "{}");
    return known.of === of ? known : null;
  } catch {
    return null; // the browser keeps nothing for this site
  }
}

/**
 * @param {WorkerSettings} settings
 * @param {number} most
 * @param {Trial} trial
 */
function keepTrial(settings, most, trial) {
  try {
    const { key, of } = trialOf(settings, most);
    localStorage.setItem(key, JSON.stringify({ of, ...trial }));
  } catch {
    // the browser keeps nothing for this site: the next visit tries again
  }
}

/**
 * Return where a trial is kept, and under which circumstances it counts.
 * @param {WorkerSettings} settings
 * @param {number} most
 */
function trialOf({ base, model }, most) {
  return { key: `${TRIALS} ${base} ${model ?? ""}`, of: `${most} of ${navigator.hardwareConcurrency}, ${navigator.userAgent}` };
}
