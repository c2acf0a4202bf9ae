// Reads pictures by the engine in Node, with the runtime that browsers get. The folder holds the runtime, the networks
// finder.onnx, landmarks.onnx and expression.onnx, and pictures.json: packed pictures by name.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { Engine } from "../../src/facemood/web/engine.js";

const folder = process.argv[2];
const read = (name) => readFileSync(`${folder}/${name}`);
const address = (name) => pathToFileURL(`${folder}/${name}`).href;
const ort = await import(address("ort.wasm.min.mjs"));
Object.assign(ort.env.wasm, {
  numThreads: 1,
  wasmBinary: read("ort-wasm-simd-threaded.wasm"),
  wasmPaths: { mjs: address("ort-wasm-simd-threaded.mjs") },
});
const networks = ["finder", "landmarks", "expression"].map((name) => [name, new Uint8Array(read(`${name}.onnx`))]);
const engine = await Engine.open(ort, Object.fromEntries(networks));
const answers = {};
for (const [name, { data, ...shape }] of Object.entries(JSON.parse(read("pictures.json")))) {
  answers[name] = await engine.readPhoto({ ...shape, data: new Uint8Array(Buffer.from(data, "base64")) });
}
process.stdout.write(JSON.stringify(answers));
