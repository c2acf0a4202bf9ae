// The named parts of the page. They are cached, because some of them may move to another window for a while.

/**
 * The parts of a more specific type than HTMLElement.
 * @typedef {object} Special
 * @property {HTMLProgressElement} video-progress
 * @property {HTMLInputElement} video-file
 * @property {HTMLInputElement} photo-file
 * @property {HTMLSelectElement} language
 * @property {HTMLButtonElement} next
 * @property {HTMLCanvasElement} overlay
 * @property {HTMLCanvasElement} picture
 * @property {HTMLButtonElement} previous
 * @property {HTMLVideoElement} video
 */

/** @type {Map<string, HTMLElement | null>} */
const known = new Map();

/**
 * The element with an id.
 * @template {string} Name
 * @param {Name} id
 * @returns {Name extends keyof Special ? Special[Name] : HTMLElement}
 */
export function part(id) {
  if (!known.has(id)) known.set(id, document.getElementById(id));
  return /** @type {ReturnType<typeof part<Name>>} */ (known.get(id));
}

/**
 * The 2D context of a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function contextOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")); // null only for canvases of another kind
}
