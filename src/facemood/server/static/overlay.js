// Boxes, labels and activation maps on the image.

import { colourOf, inkOn } from "./colours.js";
import { placeLabels } from "./label_places.js";
import { t } from "./language.js";
import { contextOf } from "./parts.js";
import { percent } from "./words.js";

/**
 * @import { LabelPlace } from "./label_places.js"
 * @import { Box, FaceMap } from "./messages.js"
 * @typedef {{ box: number[], label: string, confidence: number, name: string, map?: FaceMap }} LabelledFace
 */

/** Colour around the line of a box, so that it is visible on any image. */
const BORDER = "rgba(22, 24, 28, .55)";

/** RGB of parts that support the label: green. */
export const SUPPORTING = [0, 158, 115];

/** RGB of parts that contradict the label: orange. */
export const CONTRADICTING = [213, 94, 0];

/** Opacity of an activation map where it is strongest, 0..1. */
const OPACITY = 0.65;

/**
 * Draw boxes and labels onto a canvas that covers the whole image. `mirrored` swaps left and right, but not the text.
 * @param {HTMLCanvasElement} canvas
 * @param {LabelledFace[]} faces With boxes in pixels of the image.
 * @param {number} width Of the image, in pixels.
 */
export function drawFaces(canvas, faces, width, { mirrored = false } = {}) {
  const context = contextOf(canvas);
  const scale = canvas.width / width;
  const size = Math.max(12, Math.min(canvas.width / 34, 24 * (window.devicePixelRatio || 1)));
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  const boxes = faces.map(({ box }) => {
    const [x1, y1, x2, y2] = box.map((value) => value * scale);
    return /** @type {Box} */ (mirrored ? [canvas.width - x2, y1, canvas.width - x1, y2] : [x1, y1, x2, y2]);
  });
  faces.forEach(({ label }, index) => {
    const [x1, y1, x2, y2] = boxes[index];
    outline(context, [x1, y1, x2 - x1, y2 - y1], colourOf(label), size);
  });
  const texts = faces.map((face) => textsOf(face).map((text) => ({ text, width: context.measureText(text).width + size * 0.9 })));
  const places = placeLabels(boxes, texts.map((some) => some.map((text) => text.width)), { height: size * 1.5, gap: size / 4, canvas });
  places.forEach((place, index) => place && tag(context, texts[index][place.choice].text, faces[index].label, place, size));
}

/**
 * Return what may be written at a face, the longest first: a label with its confidence, the label, the number alone.
 * @param {LabelledFace} face
 */
function textsOf({ name, label, confidence }) {
  const start = name ? `${name} · ` : "";
  return [`${start}${t(label)} ${percent(confidence)}`, `${start}${t(label)}`, ...(name ? [name] : [])];
}

/**
 * Draw the activation map of each face that has one: parts that support its label green, parts that contradict it orange.
 * @param {HTMLCanvasElement} canvas
 * @param {LabelledFace[]} faces With boxes in pixels of the image.
 * @param {number} width Of the image, in pixels.
 */
export function drawMaps(canvas, faces, width, { mirrored = false } = {}) {
  const context = contextOf(canvas);
  const scale = canvas.width / width;
  context.save();
  if (mirrored) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
  context.imageSmoothingQuality = "high";
  for (const { map } of faces) {
    if (!map) continue;
    const [x1, y1, x2, y2] = map.box.map((value) => value * scale);
    context.save();
    context.translate((x1 + x2) / 2, (y1 + y2) / 2);
    context.rotate((map.tilt * Math.PI) / 180);
    context.drawImage(tinted(map.values), (x1 - x2) / 2, (y1 - y2) / 2, x2 - x1, y2 - y1);
    context.restore();
  }
  context.restore();
}

/**
 * Return an activation map as a canvas with one pixel per value.
 * @param {number[][]} values
 */
function tinted(values) {
  const image = Object.assign(document.createElement("canvas"), { width: values[0].length, height: values.length });
  const pixels = values.flat().flatMap((value) => [...(value > 0 ? SUPPORTING : CONTRADICTING), OPACITY * 255 * Math.abs(value)]);
  const data = new ImageData(new Uint8ClampedArray(pixels), image.width, image.height);
  contextOf(image).putImageData(data, 0, 0);
  return image;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number, number, number]} place
 * @param {string} colour
 * @param {number} size
 */
function outline(context, place, colour, size) {
  for (const { ink, width } of [{ ink: BORDER, width: size / 4 }, { ink: colour, width: size / 7 }]) {
    context.strokeStyle = ink;
    context.lineWidth = Math.max(2, width);
    context.beginPath();
    context.roundRect(...place, size / 2);
    context.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {string} label
 * @param {LabelPlace} place
 * @param {number} size
 */
function tag(context, text, label, { left, top, width, height }, size) {
  context.fillStyle = colourOf(label);
  context.beginPath();
  context.roundRect(left, top, width, height, size / 3);
  context.fill();
  context.fillStyle = inkOn(colourOf(label));
  context.fillText(text, left + size * 0.45, top + height / 2 + size * 0.04);
}
