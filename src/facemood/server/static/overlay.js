// Boxes and labels on the picture.

import { colourOf, inkOn } from "./colours.js";
import { penOf } from "./parts.js";
import { percent } from "./words.js";

/**
 * @import { FaceMap } from "./messages.js"
 * @typedef {{ box: number[], label: string, confidence: number, name: string, map?: FaceMap }} Shown
 */

const GROUND = "rgba(22, 24, 28, .55)";
const FOR = [0, 158, 115];
const AGAINST = [213, 94, 0];
const OPACITY = 0.65;

/**
 * Draw faces onto a canvas that shows the whole picture.
 *
 * `faces` have a box in pixels of a picture `width` wide, a `label` and a `confidence`; `mirrored` swaps left and right,
 * the words not.
 * @param {HTMLCanvasElement} canvas
 * @param {Shown[]} faces
 * @param {number} width
 */
export function drawFaces(canvas, faces, width, { mirrored = false } = {}) {
  const pen = penOf(canvas);
  const scale = canvas.width / width;
  const size = Math.max(12, Math.min(canvas.width / 34, 24 * (window.devicePixelRatio || 1)));
  pen.font = `600 ${size}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  for (const face of faces) {
    let [x1, y1, x2, y2] = face.box.map((value) => value * scale);
    if (mirrored) [x1, x2] = [canvas.width - x2, canvas.width - x1];
    outline(pen, [x1, y1, x2 - x1, y2 - y1], colourOf(face.label), size);
    tag(pen, face, x1, y1, y2, canvas, size);
  }
}

/**
 * Lay over each face that has a map what speaks for its label in green, and what speaks against it in red.
 * @param {HTMLCanvasElement} canvas
 * @param {Shown[]} faces
 * @param {number} width
 */
export function drawMaps(canvas, faces, width, { mirrored = false } = {}) {
  const pen = penOf(canvas);
  const scale = canvas.width / width;
  pen.save();
  if (mirrored) pen.setTransform(-1, 0, 0, 1, canvas.width, 0);
  pen.imageSmoothingQuality = "high";
  for (const { map } of faces) {
    if (!map) continue;
    const [x1, y1, x2, y2] = map.box.map((value) => value * scale);
    pen.drawImage(tinted(map.values), x1, y1, x2 - x1, y2 - y1);
  }
  pen.restore();
}

/**
 * A picture of a map, a pixel a place.
 * @param {number[][]} values
 */
function tinted(values) {
  const picture = Object.assign(document.createElement("canvas"), { width: values[0].length, height: values.length });
  const pixels = values.flat().flatMap((value) => [...(value > 0 ? FOR : AGAINST), OPACITY * 255 * Math.abs(value)]);
  const data = new ImageData(new Uint8ClampedArray(pixels), picture.width, picture.height);
  penOf(picture).putImageData(data, 0, 0);
  return picture;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {[number, number, number, number]} place
 * @param {string} colour
 * @param {number} size
 */
function outline(pen, place, colour, size) {
  for (const { ink, width } of [{ ink: GROUND, width: size / 4 }, { ink: colour, width: size / 7 }]) {
    pen.strokeStyle = ink;
    pen.lineWidth = Math.max(2, width);
    pen.beginPath();
    pen.roundRect(...place, size / 2);
    pen.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Shown} face
 * @param {number} x
 * @param {number} y1
 * @param {number} y2
 * @param {HTMLCanvasElement} canvas
 * @param {number} size
 */
function tag(pen, face, x, y1, y2, canvas, size) {
  const text = `${face.name ? `${face.name} · ` : ""}${face.label} ${percent(face.confidence)}`;
  const [width, height] = [pen.measureText(text).width + size * 0.9, size * 1.5];
  const left = Math.max(0, Math.min(x, canvas.width - width));
  const above = y1 - height - size / 4;
  const top = above >= 0 ? above : Math.min(y2 + size / 4, canvas.height - height);
  pen.fillStyle = colourOf(face.label);
  pen.beginPath();
  pen.roundRect(left, top, width, height, size / 3);
  pen.fill();
  pen.fillStyle = inkOn(colourOf(face.label));
  pen.fillText(text, left + size * 0.45, top + height / 2 + size * 0.04);
}
