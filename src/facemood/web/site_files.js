// The files of the static site that the engine loads: found by files.json, unpacked, and compared with their hashes.

/**
 * A file that is loaded: its path below the site, the bytes of what is in it, unpacked, their SHA-256, and in how many lanes
 * they are packed.
 * @typedef {{ path: string, bytes: number, sha256: string, lanes?: number }} SiteFile
 *
 * @typedef {{ model: string, engine: Record<string, SiteFile> }} Listing
 */

/** First bytes of a gzip file. */
const GZIP = [0x1f, 0x8b];

/** The module that unpacks xz, as `files.json` names it. */
const DECODER = "xz-decompress.mjs";

/** A file of the site is missing, or it is not what it should be. */
export class FileError extends Error {}

export class SiteFiles {
  /**
   * Answers that are on their way.
   * @type {Map<string, Promise<Response>>}
   */
  #begun = new Map();

  /**
   * @param {string} base The site's address.
   * @param {Listing} listing
   */
  constructor(base, listing) {
    this.base = base;
    this.model = listing.model;
    this.files = listing.engine;
  }

  /**
   * Read the list of the site's files.
   * @param {string} base
   * @throws {FileError} There is none.
   */
  static async open(base) {
    const answer = await fetchFile(new URL("files.json", base));
    try {
      return new SiteFiles(base, await answer.json());
    } catch (error) {
      throw new FileError(`${new URL("files.json", base)} is damaged. Write the site again with 'facemood web'.`, { cause: error });
    }
  }

  /**
   * Return whether the site has a file.
   * @param {string} name
   */
  has(name) {
    return Object.hasOwn(this.files, name);
  }

  /**
   * Return the address of a file.
   * @param {string} name
   */
  address(name) {
    return new URL(this.#file(name).path, this.base).href;
  }

  /**
   * Import a module.
   * @param {string} name
   */
  async module(name) {
    const address = this.address(name);
    try {
      return await import(address);
    } catch (error) {
      throw new FileError(`${address} cannot be loaded (${/** @type {Error} */ (error).message}). Reload the page, or write the site again with 'facemood web'.`, { cause: error });
    }
  }

  /**
   * Begin to load files that will be read.
   * @param {string[]} names
   */
  begin(names) {
    for (const name of names.filter((one) => this.has(one))) {
      const answer = fetchFile(this.address(name));
      answer.catch(() => {}); // told when it is read
      this.#begun.set(name, answer);
    }
  }

  /**
   * Load a file, unpack it, and compare it with its hash.
   * @param {string} name
   * @throws {FileError} It is missing, or not what it should be.
   */
  async read(name) {
    const packed = await collect(await this.#unpacked(name), this.address(name));
    return this.#checked(name, joinLanes(packed, this.#file(name).lanes ?? 1));
  }

  /**
   * Compile WebAssembly while it is loaded, and compare it with its hash before it can run.
   * @param {string} name
   * @throws {FileError} It is missing, or not what it should be.
   */
  async compile(name) {
    const [one, other] = (await this.#unpacked(name)).tee();
    const compiled = compileStream(one);
    compiled.catch(() => {}); // a damaged file is named by its hash
    await this.#checked(name, await collect(other, this.address(name)));
    return compiled;
  }

  /**
   * Return what is in a file, as it arrives.
   * @param {string} name
   */
  async #unpacked(name) {
    const address = this.address(name);
    const answer = this.#begun.get(name) ?? fetchFile(address);
    this.#begun.delete(name);
    const [{ body }, xz] = await Promise.all([answer, address.endsWith(".xz") ? this.module(DECODER) : null]);
    if (!body) throw new FileError(`${address} is empty. Write the site again with 'facemood web'.`);
    return xz ? new xz.XzReadableStream(body) : unpack(body);
  }

  /**
   * Return what is in a file, if it is what it should be.
   * @param {string} name
   * @param {Uint8Array<ArrayBuffer>} data
   */
  async #checked(name, data) {
    const { bytes, sha256 } = this.#file(name);
    if (data.length === bytes && (!globalThis.crypto?.subtle || (await hashOf(data)) === sha256)) return data;
    throw new FileError(`${this.address(name)} is not the file that belongs to this page: its hash differs. Reload the page without its cache, or write the site again with 'facemood web'.`);
  }

  /** @param {string} name */
  #file(name) {
    if (this.has(name)) return this.files[name];
    const models = Object.keys(this.files).filter((one) => one.endsWith(".onnx")).map((one) => one.slice(0, -5));
    throw new FileError(`This site has no '${name}'; its networks are ${models.join(", ")}.`);
  }
}

/** @param {string | URL} address */
async function fetchFile(address) {
  const answer = await fetch(address).catch((error) => {
    throw new FileError(`${address} cannot be reached (${error.message}). Check the connection, then reload the page.`);
  });
  if (!answer.ok) throw new FileError(`${address} is missing (${answer.status}). Copy the whole folder that 'facemood web' wrote.`);
  return answer;
}

/**
 * Unpack a gzip file as it arrives. A server may have done so already; then it stays as it is.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 */
async function unpack(body) {
  const reader = body.getReader();
  let { value: first = new Uint8Array(0) } = await reader.read();
  while (first.length < GZIP.length) {
    const { value, done } = await reader.read();
    if (done) break;
    first = Uint8Array.of(...first, ...value);
  }
  /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */
  const whole = new ReadableStream({
    start: (to) => to.enqueue(first),
    async pull(to) {
      const { value, done } = await reader.read();
      if (done) to.close();
      else to.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return GZIP.every((byte, at) => first[at] === byte) ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
}

/**
 * Return all bytes of a stream.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @param {string} address Where it comes from.
 */
async function collect(stream, address) {
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    throw new FileError(`${address} is damaged, or the connection broke. Reload the page without its cache, or write the site again with 'facemood web'.`, { cause: error });
  }
}

/**
 * Compile WebAssembly as it arrives.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 */
async function compileStream(stream) {
  return WebAssembly.compileStreaming(new Response(stream, { headers: { "Content-Type": "application/wasm" } }));
}

/**
 * Undo `split_lanes` of engine_files.py: lane after lane, each has the bytes of one place of all numbers.
 * @param {Uint8Array<ArrayBuffer>} data
 * @param {number} lanes
 */
export function joinLanes(data, lanes) {
  if (lanes === 1) return data;
  const whole = new Uint8Array(data.length);
  for (let lane = 0, from = 0; lane < lanes; lane++) {
    for (let to = lane; to < data.length; to += lanes) whole[to] = data[from++];
  }
  return whole;
}

/** @param {Uint8Array<ArrayBuffer>} data */
async function hashOf(data) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
