// The part of onnxruntime-web that the engine uses, for the type check (make check-js). The package does not ship this file.

export interface Tensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export interface InferenceSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}

export interface Ort {
  env: {
    logLevel: string;
    wasm: { numThreads: number; initTimeout: number; wasmPaths: { mjs: string } };
    /** It has the device once a network is open on it. */
    webgpu?: { device?: { lost: Promise<{ message: string }> } };
  };
  InferenceSession: { create(model: Uint8Array, options: object): Promise<InferenceSession> };
  Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => Tensor;
}

/** The runtime's own module for its WebAssembly. */
export type Factory = (settings: object) => Promise<unknown>;
