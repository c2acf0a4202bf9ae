// Opens the engine on onnxruntime-web: on one thread, or on several where the page may have them and they are quicker.

import { Engine } from "./engine.js";
import { blank } from "./pixels.js";

/**
 * @import { Networks } from "./engine.js"
 * @import { Ort } from "./ort.js"
 * @import { SiteFiles } from "./site_files.js"
 *
 * An open engine, how many threads it runs on, and the milliseconds that one thread and several took in a trial.
 * @typedef {{ engine: Engine, threads: number, trial?: { one: number, several: number } }} Opened
 */

/** The runtime's WebAssembly, as `files.json` names it. */
export const WASM = "ort-wasm-simd-threaded.wasm";

/** Most threads: networks as small as these have no work for more. */
const MOST_THREADS = 4;

/** Several threads must take a smaller share of the time of one: they take cores from the rest of the page. */
const QUICKER = 0.8;

/** Runs of a trial; the quickest counts, because other programs only make runs slower. */
const RUNS = 5;

/**
 * Open the networks.
 * @param {SiteFiles} files
 * @param {Uint8Array} wasm
 * @param {Networks} networks
 * @param {number} threads Most threads. More than one need a page that is isolated from others (cross-origin isolation),
 *   and are used only if they are quicker in a trial.
 * @returns {Promise<Opened>}
 */
export async function openEngine(files, wasm, networks, threads) {
  const engine = await openWith(files, wasm, networks, 1);
  const most = globalThis.crossOriginIsolated ? Math.min(threads, navigator.hardwareConcurrency, MOST_THREADS) : 1;
  if (most <= 1) return { engine, threads: 1 };
  const other = await openWith(files, wasm, networks, most);
  const trial = { one: await timeOf(engine), several: await timeOf(other) };
  const isQuicker = trial.several < QUICKER * trial.one;
  await (isQuicker ? engine : other).close();
  return isQuicker ? { engine: other, threads: most, trial } : { engine, threads: 1, trial };
}

/**
 * Open the networks on so many threads. Their number is fixed in a runtime, so several have one of their own.
 * @param {SiteFiles} files
 * @param {Uint8Array} wasm
 * @param {Networks} networks
 * @param {number} threads
 */
async function openWith(files, wasm, networks, threads) {
  const ort = /** @type {Ort} */ (await files.module("ort.wasm.min.mjs", threads > 1 ? "?threads" : ""));
  Object.assign(ort.env, { logLevel: "error" });
  Object.assign(ort.env.wasm, {
    numThreads: threads,
    wasmBinary: wasm,
    wasmPaths: { mjs: files.address("ort-wasm-simd-threaded.mjs") },
  });
  const engine = await Engine.open(ort, networks);
  await engine.readPhoto(blank(64, 64, 3)); // the first run is slow
  return engine;
}

/**
 * Return the milliseconds in which an engine searches a small picture and classifies a face.
 * @param {Engine} engine
 */
async function timeOf(engine) {
  let least = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const begun = performance.now();
    await engine.finder.search(blank(320, 240, 1), 24);
    await engine.network.run([blank(48, 48, 1)]);
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}
