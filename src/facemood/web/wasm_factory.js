// Hands WebAssembly that is compiled already to onnxruntime-web, which would fetch and compile it itself. The runtime imports
// this module in the place of its own one.

/**
 * @import { Factory } from "./ort.js"
 */

/** @type {{ factory: Factory, compiled: WebAssembly.Module } | null} */
let prepared = null;

/**
 * Say what runs.
 * @param {Factory} factory The runtime's own module for its WebAssembly.
 * @param {WebAssembly.Module} compiled
 */
export function prepare(factory, compiled) {
  prepared = { factory, compiled };
}

/**
 * Start the runtime, as its own module would.
 * @param {object} settings
 * @returns {Promise<unknown>}
 */
export default function start(settings) {
  return new Promise((done, fail) => {
    if (!prepared) throw new Error("there is no WebAssembly yet");
    const { factory, compiled } = prepared;
    const instantiateWasm = (/** @type {WebAssembly.Imports} */ imports, /** @type {Function} */ ready) => {
      WebAssembly.instantiate(compiled, imports).then((instance) => ready(instance, compiled), fail);
      return {};
    };
    factory({ ...settings, instantiateWasm }).then(done, fail);
  });
}
