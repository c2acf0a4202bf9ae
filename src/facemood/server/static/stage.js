// The image, and what is drawn over it: boxes, labels, maps, hidden faces; snapshots of it.

import { CoveredView } from "./cover.js";
import { drawFaces, drawMaps } from "./overlay.js";
import { contextOf, part } from "./parts.js";
import { download, stamp } from "./record.js";
import { state } from "./state.js";

const video = part("video");
const overlay = part("overlay");

/** Shows the image once its faces can be hidden. */
export const coveredView = new CoveredView(part("picture"));

/** Draw the current result over the image. */
export function drawOverlay() {
  fitOverlay();
  paint(overlay);
}

/** Draw nothing over the image. */
export function clearOverlay() {
  contextOf(overlay).clearRect(0, 0, overlay.width, overlay.height);
}

function fitOverlay() {
  const ratio = window.devicePixelRatio || 1;
  const size = [overlay.clientWidth, overlay.clientHeight].map((side) => Math.round(side * ratio));
  if (size[0] && (overlay.width !== size[0] || overlay.height !== size[1])) [overlay.width, overlay.height] = size;
  clearOverlay();
}

/** @param {HTMLCanvasElement} canvas */
function paint(canvas, mirrored = state.kind === "camera") {
  if (!state.result) return;
  const several = state.views.length > 1;
  const faces = state.views.map((view) => ({ ...view, name: several ? String(view.key) : "" }));
  if (state.mapped) drawMaps(canvas, faces, state.result.size[0], { mirrored });
  drawFaces(canvas, faces, state.result.size[0], { mirrored });
}

/**
 * Draw image and overlay together, not mirrored.
 * @param {HTMLCanvasElement} canvas
 */
export function compose(canvas) {
  const still = state.kind === "photo" || state.covered;
  const picture = part("picture");
  const [width, height] = still ? [picture.width, picture.height] : [video.videoWidth, video.videoHeight];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  contextOf(canvas).drawImage(still ? picture : video, 0, 0, width, height);
  paint(canvas, false);
}

/** Save the image with what is drawn over it. */
export function snapshot() {
  if (!state.result) return;
  const canvas = document.createElement("canvas");
  compose(canvas);
  canvas.toBlob((blob) => blob && download(`facemood-${stamp()}.png`, blob), "image/png");
}

/** Show the image itself, or only the one whose faces are hidden. */
export function showCovering() {
  const moving = state.kind !== "photo";
  part("stage").classList.toggle("covered", state.covered && moving);
  part("picture").hidden = moving && !state.covered;
  if (moving) coveredView.clear();
}
