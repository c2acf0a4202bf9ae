// Recording: the table, the JSON and the annotated video are made in the browser. Nothing is stored elsewhere.

import { t } from "./language.js";
import { make } from "./people.js";

/**
 * @import { Column, Hello, LiveResult, Result } from "./messages.js"
 * @typedef {(canvas: HTMLCanvasElement) => void} Draw
 */

/** Frames per second of the annotated video. */
const RATE = 20;

/** Most results of a recording, so that memory does not run out; about 4 hours at 15 per second. */
const MOST = 200_000;

/** Formats of the annotated video, the preferred one first. */
const FORMATS = ["video/mp4;codecs=avc1.42E01F", "video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];

/** Records results and the annotated video until `stop`. */
export class Recording {
  /** @type {(Result & { type?: undefined })[]} */
  results = [];

  /** @type {Blob[]} */
  chunks = [];

  /** @type {number | null} */
  began = null;

  /** @type {MediaRecorder | null} */
  recorder = null;

  /** @type {number | undefined} */
  timer = undefined;

  seconds = 0;

  /**
   * @param {Hello} hello The server's greeting.
   * @param {string} source
   * @param {HTMLCanvasElement} canvas
   * @param {Draw} draw Draws image and overlay onto a canvas.
   */
  constructor(hello, source, canvas, draw) {
    this.hello = hello;
    this.source = source;
    this.video(canvas, draw);
  }

  /**
   * @param {LiveResult} result
   * @param {number} time In seconds.
   */
  add(result, time) {
    this.began ??= time;
    this.seconds = time - this.began;
    if (this.results.length < MOST) {
      this.results.push({ ...result, type: undefined, source: this.source, timestamp: round(this.seconds, 3) });
    }
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Draw} draw
   */
  video(canvas, draw) {
    const type = FORMATS.find((name) => window.MediaRecorder?.isTypeSupported(name));
    if (!type || !canvas.captureStream) return;
    draw(canvas);
    this.timer = setInterval(() => draw(canvas), 1000 / RATE);
    this.recorder = new MediaRecorder(canvas.captureStream(RATE), { mimeType: type, videoBitsPerSecond: 4_000_000 });
    this.recorder.ondataavailable = (event) => event.data.size && this.chunks.push(event.data);
    this.recorder.start(1000);
  }

  /** Stop recording and return all files as {name: Blob}. */
  async stop() {
    clearInterval(this.timer);
    /** @type {Record<string, Blob>} */
    const files = filesOf(this.hello, this.results);
    const { recorder } = this;
    if (recorder) {
      await new Promise((done) => {
        recorder.onstop = done;
        recorder.stop();
      });
      const type = recorder.mimeType.split(";")[0];
      files[`annotated.${type.split("/")[1]}`] = new Blob(this.chunks, { type });
    }
    return files;
  }
}

/**
 * Results as the files table.csv and results.json.
 * @param {Pick<Hello, "columns" | "schema" | "info">} hello The engine's greeting.
 * @param {Result[]} results
 * @returns {Record<string, Blob>}
 */
export function filesOf({ columns, schema, info }, results) {
  const lines = results.flatMap((result) => rowsOf(result, columns).map(csvLine));
  return {
    "table.csv": new Blob([csvLine(columns.map(({ name }) => name)), ...lines], { type: "text/csv" }),
    "results.json": new Blob([JSON.stringify({ schema, info, results })], { type: "application/json" }),
  };
}

/**
 * Links that save files.
 * @param {Record<string, Blob>} files
 * @param {string} stem Begins the names of the saved files.
 */
export function linksTo(files, stem) {
  /** @type {Record<string, string>} */
  const words = { "table.csv": "Table (CSV)", "results.json": "JSON" };
  const time = stamp();
  return Object.entries(files).map(([name, blob]) => {
    const target = { href: URL.createObjectURL(blob), download: `${stem}-${time}-${name}` };
    return Object.assign(make("a", "tool small", t(words[name] ?? "Annotated video")), target);
  });
}

/** The time as a part of a file's name. */
export function stamp() {
  return new Date().toISOString().slice(0, 19).replaceAll(":", "-");
}

/**
 * The table rows of a result, as lists of cells: one row per face, or one row with empty face columns. The server sends
 * the order of the columns, and for each its path in the result; a path through "faces" leads into the row's face.
 * @param {Result} result
 * @param {Column[]} columns
 */
export function rowsOf(result, columns) {
  const faces = result.faces.length ? result.faces : [null];
  return faces.map((face) => columns.map(({ path }) => path.reduce(step, /** @type {unknown} */ ({ ...result, faces: face }))));
}

/**
 * The value of an object's own key, so that a label such as "constructor" finds nothing inherited.
 * @param {unknown} value
 * @param {string | number} key
 */
function step(value, key) {
  return value && Object.hasOwn(value, key) ? /** @type {Record<string | number, unknown>} */ (value)[key] : undefined;
}

/**
 * One line of CSV: cells without a value are empty, booleans are 0 or 1.
 * @param {unknown[]} values
 */
export function csvLine(values) {
  const cells = values.map((value) => String((typeof value === "boolean" ? Number(value) : value) ?? ""));
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\n`;
}

/**
 * Download a file.
 * @param {string} name
 * @param {Blob} blob
 */
export function download(name, blob) {
  const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(blob) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * @param {number} value
 * @param {number} digits
 */
function round(value, digits) {
  return Number(value.toFixed(digits));
}
