// The files of the static site that the engine loads: found by files.json, unpacked, and compared with their hashes.

/**
 * A file that is loaded: its path below the site, the bytes of what is in it, unpacked, and their SHA-256.
 * @typedef {{ path: string, bytes: number, sha256: string }} SiteFile
 *
 * @typedef {{ model: string, engine: Record<string, SiteFile> }} Listing
 */

/** First bytes of a gzip file. */
const GZIP = [0x1f, 0x8b];

/** A file of the site is missing, or it is not what it should be. */
export class FileError extends Error {}

export class SiteFiles {
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
    const text = new TextDecoder().decode(await fetchFile(new URL("files.json", base)));
    try {
      return new SiteFiles(base, JSON.parse(text));
    } catch (error) {
      throw new FileError(`${new URL("files.json", base)} is damaged. Write the site again with 'facemood web'.`, { cause: error });
    }
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
   * Load a file, unpack it, and compare it with its hash.
   * @param {string} name
   * @throws {FileError} It is missing, or not what it should be.
   */
  async read(name) {
    const { bytes, sha256 } = this.#file(name);
    const address = this.address(name);
    const data = await unpack(await fetchFile(address), address);
    if (data.length !== bytes || (globalThis.crypto?.subtle && (await hashOf(data)) !== sha256)) {
      throw new FileError(`${address} is not the file that belongs to this page: its hash differs. Reload the page without its cache, or write the site again with 'facemood web'.`);
    }
    return data;
  }

  /** @param {string} name */
  #file(name) {
    if (Object.hasOwn(this.files, name)) return this.files[name];
    const models = Object.keys(this.files).filter((one) => one.endsWith(".onnx")).map((one) => one.slice(0, -5));
    throw new FileError(`This site has no '${name}'; its networks are ${models.join(", ")}.`);
  }
}

/**
 * @param {string | URL} address
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function fetchFile(address) {
  const answer = await fetch(address).catch((error) => {
    throw new FileError(`${address} cannot be reached (${error.message}). Check the connection, then reload the page.`);
  });
  if (!answer.ok) throw new FileError(`${address} is missing (${answer.status}). Copy the whole folder that 'facemood web' wrote.`);
  return new Uint8Array(await answer.arrayBuffer());
}

/**
 * Unpack a gzip file. A server may have done so already; then it stays as it is.
 * @param {Uint8Array<ArrayBuffer>} data
 * @param {string} address
 */
async function unpack(data, address) {
  if (data[0] !== GZIP[0] || data[1] !== GZIP[1]) return data;
  try {
    return new Uint8Array(await new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  } catch (error) {
    throw new FileError(`${address} is damaged. Reload the page without its cache, or write the site again with 'facemood web'.`, { cause: error });
  }
}

/** @param {Uint8Array<ArrayBuffer>} data */
async function hashOf(data) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
