// Opens the engine on onnxruntime-web, and times it.

import { Engine } from "./engine.js";
import { blank } from "./pixels.js";

/**
 * @import { Networks } from "./engine.js"
 * @import { Ort } from "./ort.js"
 * @import { SiteFiles } from "./site_files.js"
 */

/** The runtime's WebAssembly, as `files.json` names it. */
export const WASM = "ort-wasm-simd-threaded.wasm";

/** Runs that are timed; the quickest counts, because other programs only make runs slower. */
const RUNS = 5;

/**
 * Open the networks.
 * @param {SiteFiles} files
 * @param {Uint8Array} wasm
 * @param {Networks} networks
 * @param {number} threads More than one need a page that is isolated from others (cross-origin isolation).
 */
export async function openEngine(files, wasm, networks, threads) {
  const ort = /** @type {Ort} */ (await files.module("ort.wasm.min.mjs"));
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
export async function timeEngine(engine) {
  let least = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const begun = performance.now();
    await engine.finder.search(blank(320, 240, 1), 24);
    await engine.network.run([blank(48, 48, 1)]);
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}
