// Display options: words only, text size, a window above all others, and where their buttons are. The first two are remembered.

import { recall, remember } from "./memory.js";
import { part } from "./parts.js";

/** @typedef {{ requestWindow(size: { width: number, height: number }): Promise<Window> }} PictureInPicture */

/** Text sizes, relative to the browser's. */
const SIZES = [0.85, 1, 1.2, 1.45, 1.75];

/** Where image and results stand below each other. */
const NARROW = matchMedia("(max-width: 52rem)");

/**
 * Set the state of a toggle button.
 * @param {string} id
 * @param {boolean} pressed
 */
export function press(id, pressed) {
  part(id).setAttribute("aria-pressed", String(pressed));
}

/** Hide or show the image next to the words. */
export function toggleCompact(compact = !document.body.classList.contains("compact")) {
  document.body.classList.toggle("compact", compact);
  arrange();
  press("compact", compact);
  remember("compact", compact ? "1" : "");
}

/**
 * Make all text larger or smaller by some steps.
 * @param {number} step
 */
export function resizeText(step) {
  const now = SIZES.indexOf(Number(recall("size") || 1));
  const size = SIZES[Math.max(0, Math.min(SIZES.length - 1, now + step))];
  document.documentElement.style.setProperty("--size", String(size));
  remember("size", String(size));
}

/** Move the results to a small window above all others, if the browser supports it. */
export async function float() {
  const { documentPictureInPicture } = /** @type {{ documentPictureInPicture: PictureInPicture }} */ (/** @type {unknown} */ (window));
  const small = await documentPictureInPicture.requestWindow({ width: 380, height: 520 });
  const style = Object.assign(small.document.createElement("link"), { rel: "stylesheet", href: new URL("page.css", import.meta.url).href });
  small.document.head.append(style);
  small.document.title = "facemood";
  small.document.body.className = "floating";
  small.document.body.append(part("panel"));
  small.addEventListener("pagehide", () => part("panel-place").prepend(part("panel")));
}

/**
 * Put the buttons for display into one place with the others where the page is narrow: behind *More*. Where only words are
 * shown, the image's own buttons are hidden, so they stay above the words.
 */
function arrange() {
  const one = NARROW.matches && !document.body.classList.contains("compact");
  const views = part("views");
  if (one && views.parentElement !== part("tools")) part("tools").append(views);
  if (!one && views.parentElement !== part("panel")) part("panel").prepend(views);
  part("more-tools").hidden = !one;
  showMore(!one);
}

/** @param {boolean} open */
function showMore(open) {
  part("views").classList.toggle("closed", !open);
  part("more-tools").setAttribute("aria-expanded", String(open));
}

/** Show the buttons behind *More*, or hide them. */
export function toggleMore() {
  showMore(part("views").classList.contains("closed"));
}

/** Apply the remembered options. */
export function restoreView() {
  NARROW.addEventListener("change", arrange);
  part("float").hidden = !("documentPictureInPicture" in window);
  resizeText(0);
  toggleCompact(recall("compact") === "1");
}
