// Opens the engine on onnxruntime-web: what it needs is loaded at the same time, and each network is opened when it is there.

import { Engine } from "./engine.js";
import { blank } from "./pixels.js";
import { prepare } from "./wasm_factory.js";

/**
 * @import { Factory, Ort } from "./ort.js"
 * @import { SiteFiles } from "./site_files.js"
 */

/**
 * What runs the networks.
 * @typedef {"wasm" | "webgpu"} Provider
 *
 * An open engine, what runs it, why that is not what was asked for, and why the graphics processor is lost, once it is.
 * @typedef {{ engine: Engine, device: Provider, fallback?: string, lost?: Promise<string> }} OpenEngine
 */

/** The files of onnxruntime-web for each, as `files.json` names them: its module, that of its WebAssembly, and this. */
const RUNTIMES = {
  wasm: { main: "ort.wasm.min.mjs", factory: "ort-wasm-simd-threaded.mjs", wasm: "ort-wasm-simd-threaded.wasm" },
  webgpu: {
    main: "ort.webgpu.min.mjs", factory: "ort-wasm-simd-threaded.asyncify.mjs", wasm: "ort-wasm-simd-threaded.asyncify.wasm",
  },
};

/** Milliseconds after which several threads count as refused; one thread has no limit. */
const LONGEST_START = 30_000;

/** Runs that are timed; the quickest counts, because other programs only make runs slower. */
const RUNS = 5;

/**
 * Open the networks on what was asked for; on WebAssembly, where WebGPU does not run them.
 * @param {SiteFiles} files
 * @param {string} model
 * @param {Provider} provider
 * @param {number} threads More than one need a page that is isolated from others (cross-origin isolation).
 * @returns {Promise<OpenEngine>}
 */
export async function openEngine(files, model, provider, threads) {
  let fallback;
  if (provider === "webgpu") {
    try {
      await checkWebGpu(files);
      return await openOnWebGpu(files, model);
    } catch (error) {
      fallback = `WebAssembly reads here: ${/** @type {Error} */ (error).message}`;
    }
  }
  const engine = await openOn(openRuntime(files, "wasm", threads), files, model, "wasm");
  return { engine, device: "wasm", ...(fallback && { fallback }) };
}

/**
 * @param {SiteFiles} files
 * @param {string} model
 * @returns {Promise<OpenEngine>}
 */
async function openOnWebGpu(files, model) {
  const runtime = openRuntime(files, "webgpu", 1);
  const engine = await openOn(runtime, files, model, "webgpu");
  const { webgpu } = (await runtime).env;
  return { engine, device: "webgpu", lost: webgpu?.device?.lost.then(({ message }) => message) };
}

/**
 * Check that the site and the browser have WebGPU.
 * @param {SiteFiles} files
 * @throws {Error} One of them has not.
 */
async function checkWebGpu(files) {
  if (!files.has(RUNTIMES.webgpu.main)) throw new Error("this site was written without WebGPU. Write it with 'facemood web --webgpu'.");
  const { gpu } = /** @type {{ gpu?: { requestAdapter: () => Promise<unknown> } }} */ (/** @type {unknown} */ (navigator));
  if (!gpu) throw new Error("this browser has no WebGPU, or the page is not served over https.");
  if (!(await gpu.requestAdapter())) throw new Error("this browser has no graphics processor for WebGPU (no adapter).");
}

/**
 * @param {Promise<Ort>} runtime
 * @param {SiteFiles} files
 * @param {string} model
 * @param {Provider} provider
 */
function openOn(runtime, files, model, provider) {
  const read = (/** @type {string} */ name) => files.read(`${name}.onnx`);
  const networks = { finder: read("finder"), landmarks: read("landmarks"), expression: read(model) };
  return Engine.open(runtime, networks, provider);
}

/**
 * Load and start the runtime.
 * @param {SiteFiles} files
 * @param {Provider} provider
 * @param {number} threads
 */
async function openRuntime(files, provider, threads) {
  const { main, factory, wasm } = RUNTIMES[provider];
  const parts = await Promise.all([files.module(main), files.module(factory), files.compile(wasm)]);
  const [ort, own, compiled] = /** @type {[Ort, { default: Factory }, WebAssembly.Module]} */ (parts);
  prepare(own.default, compiled);
  Object.assign(ort.env, { logLevel: "error" });
  const initTimeout = threads > 1 ? LONGEST_START : 0;
  Object.assign(ort.env.wasm, { numThreads: threads, initTimeout, wasmPaths: { mjs: new URL("wasm_factory.js", import.meta.url).href } });
  return ort;
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
