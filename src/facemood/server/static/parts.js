// The named parts of the page. They are remembered, because some of them may stand in another window for a while.

/**
 * The parts that are more than an HTMLElement.
 * @typedef {object} Special
 * @property {HTMLProgressElement} video-progress
 * @property {HTMLInputElement} video-file
 * @property {HTMLInputElement} photo-file
 * @property {HTMLButtonElement} next
 * @property {HTMLCanvasElement} overlay
 * @property {HTMLCanvasElement} picture
 * @property {HTMLButtonElement} previous
 * @property {HTMLVideoElement} video
 */

/** @type {Map<string, HTMLElement | null>} */
const known = new Map();

/**
 * The element of a name.
 * @template {string} Name
 * @param {Name} id
 * @returns {Name extends keyof Special ? Special[Name] : HTMLElement}
 */
export function part(id) {
  if (!known.has(id)) known.set(id, document.getElementById(id));
  return /** @type {ReturnType<typeof part<Name>>} */ (known.get(id));
}

/**
 * What draws on a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function penOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")); // null for canvases of another kind alone
}
