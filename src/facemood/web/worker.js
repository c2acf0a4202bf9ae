// The worker in which pictures are read, so that the page stays smooth. It loads the networks and checks their hashes.

import { FileError, SiteFiles } from "./site_files.js";
import { rgbOf } from "./pixels.js";
import { ActionUnits } from "./action_units.js";

/**
 * @import { Engine, Face, ReadOptions } from "./engine.js"
 * @import { Picture } from "./pixels.js"
 * @import { Provider } from "./runtime.js"
 * @import { SceneOptions, VideoScene } from "./scene.js"
 *
 * A request: a number, the name of one of `CALLS`, and its arguments.
 * @typedef {{ id: number, call: keyof typeof CALLS, values: any }} Request
 */

/** Most pixels of a picture: their memory is bounded. */
const MAX_PIXELS = 50_000_000;

/** The first bytes of every WebAssembly file: the smallest module. */
const SMALLEST_MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** What errors say when memory has run out. */
const NO_MEMORY = /bad_alloc|out of memory|allocation failed|memory access out of bounds/i;

/** What errors of the runtime say where the graphics processor is lost. */
const NO_GRAPHICS = /webgpu/i;

/** @type {Engine | null} */
let engine = null;

/**
 * How pictures are read where nothing else is asked for.
 * @type {Partial<ReadOptions>}
 */
let usual = {};

/**
 * The file with the parameters of action units, which is loaded when they are first asked for.
 * @type {(() => Promise<Uint8Array>) | null}
 */
let unitFile = null;

/** @type {Map<number, VideoScene>} */
const scenes = new Map();

/** Where bitmaps are drawn, to get at their pixels. */
let canvas = new OffscreenCanvas(1, 1);

/**
 * The last frame of a video, whose memory the next one takes.
 * @type {Picture | null}
 */
let frame = null;

/** What the page can ask for. */
const CALLS = {
  /**
   * The site's address, the model (without it the site's own), how pictures are read where nothing else is asked for, what
   * runs the networks, and the number of threads.
   * @param {{ base: string, model?: string, options?: Partial<ReadOptions>, provider?: Provider, threads?: number }} values
   */
  async open({ base, model, options = {}, provider = "wasm", threads = 1 }) {
    checkWebAssembly();
    const code = import("./runtime.js");
    const files = await SiteFiles.open(base);
    files.begin(["ort-wasm-simd-threaded.wasm", ...["finder", "landmarks", model ?? files.model].map((name) => `${name}.onnx`)]);
    const { openEngine } = await code;
    const open = await openEngine(files, model ?? files.model, provider, threads);
    const { device, fallback } = open;
    engine = open.engine;
    open.lost?.then((reason) => postMessage({ id: 0, error: graphicsLost(reason), broken: true }));
    usual = options;
    unitFile = () => files.read("action_units.json");
    const how = { device, threads: device === "wasm" ? threads : 1, ...(fallback && { fallback }) };
    return { info: { ...engine.info(usual), ...how }, maps: engine.canMap(usual) };
  },

  /** Return the milliseconds that a small picture takes. */
  async time() {
    const { timeEngine } = await import("./runtime.js");
    return timeEngine(opened());
  },

  /** @param {{ bitmap: ImageBitmap, options?: Partial<ReadOptions> }} values */
  async photo({ bitmap, options }) {
    const all = { ...usual, ...options };
    await openUnits(all);
    return timed(bitmap, (image) => opened().readPhoto(image, all));
  },

  /** @param {{ scene: number, options?: Partial<ReadOptions> & SceneOptions }} values A number that the page chose. */
  async begin({ scene, options }) {
    scenes.set(scene, opened().scene({ ...usual, ...options }));
  },

  /** @param {{ scene: number, bitmap: ImageBitmap, time: number, maps?: boolean, actionUnits?: boolean }} values */
  async frame({ scene, bitmap, time, maps, actionUnits }) {
    const found = scenes.get(scene);
    if (!found) throw new Error("this video has been closed");
    await openUnits({ ...found.options, actionUnits });
    return timed(bitmap, (image) => found.read((frame = image), time, { maps, actionUnits }), frame);
  },

  /** @param {{ scene: number }} values */
  async end({ scene }) {
    scenes.delete(scene);
  },
};

/**
 * Check that WebAssembly may run here.
 * @throws {FileError} A policy blocks it.
 */
function checkWebAssembly() {
  try {
    new WebAssembly.Module(SMALLEST_MODULE);
  } catch (error) {
    throw new FileError(`A Content Security Policy of this page's host blocks WebAssembly. Allow script-src 'self' 'wasm-unsafe-eval' there.`, { cause: error });
  }
}

/**
 * Open the parameters of action units, if they are asked for and have not been opened yet.
 * @param {Partial<ReadOptions>} options
 */
async function openUnits({ actionUnits }) {
  const reader = opened();
  if (actionUnits && unitFile) reader.units ??= ActionUnits.from(await unitFile());
}

/** Return the engine, which `open` has opened. */
function opened() {
  if (!engine) throw new Error("the networks have not been opened");
  return engine;
}

/**
 * Read a bitmap, and tell how long that took in milliseconds.
 * @param {ImageBitmap} bitmap
 * @param {(image: Picture) => Promise<Face[]>} read
 * @param {Picture | null} [former] An image whose memory it may take.
 */
async function timed(bitmap, read, former = null) {
  const begun = performance.now();
  const size = [bitmap.width, bitmap.height];
  const image = pixelsOf(bitmap, former);
  const pixels = performance.now() - begun;
  const faces = await read(image);
  return { faces, size, speed: { pixels, total: performance.now() - begun } };
}

/**
 * Return the pixels of a bitmap, and close it.
 * @param {ImageBitmap} bitmap
 * @param {Picture | null} former An image whose memory it may take.
 * @throws {Error} It is too large.
 */
function pixelsOf(bitmap, former) {
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) {
    bitmap.close();
    throw new Error(`The picture has ${Math.round((width * height) / 1e6)} million pixels; expected at most ${MAX_PIXELS / 1e6} million. Make it smaller.`);
  }
  const drawn = draw(bitmap) ?? draw(bitmap);
  bitmap.close();
  if (!drawn) throw new Error("The browser has no memory left for the picture. Close other tabs, or make it smaller.");
  return rgbOf(drawn, former);
}

/**
 * Draw a bitmap on white, and return its pixels; null if the browser has taken the canvas away (context loss). There is a
 * new one then.
 * @param {ImageBitmap} bitmap
 */
function draw(bitmap) {
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    const drawn = context.getImageData(0, 0, width, height);
    if (!context.isContextLost?.()) return drawn;
  }
  canvas = new OffscreenCanvas(1, 1);
  return null;
}

/** Requests are answered one after the other: the networks' buffers are shared. */
let last = Promise.resolve();

/** @param {MessageEvent<Request>} event */
onmessage = ({ data: { id, call, values } }) => {
  last = last.then(async () => {
    try {
      postMessage({ id, value: await CALLS[call](values) });
    } catch (error) {
      postMessage({ id, ...failureOf(error) });
    }
  });
};

/**
 * Tell what went wrong, and whether the networks cannot be used any more. Exceptions of WebAssembly may be mere numbers.
 * @param {unknown} error
 */
function failureOf(error) {
  const message = error instanceof Error ? error.message : "";
  if (NO_GRAPHICS.test(message)) return { error: graphicsLost(message.split("\n")[0]), broken: true };
  const broken = !(error instanceof Error) || error instanceof WebAssembly.RuntimeError || NO_MEMORY.test(message);
  if (!broken) return { error: message, broken };
  return { error: `The browser has no memory left for the networks (${message || String(error)}). Close other tabs, then try again.`, broken };
}

/** @param {string} reason What the browser says. */
function graphicsLost(reason) {
  return `The graphics processor was lost (${reason}). Choose the source again: the networks are opened once more.`;
}
