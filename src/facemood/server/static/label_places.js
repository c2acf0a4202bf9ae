// Where the labels of faces are written: above or below each face, where they cover no other label and no other face.

/**
 * @import { Box } from "./messages.js"
 *
 * A place for a label, in pixels of the canvas, and which of its texts fits.
 * @typedef {{ left: number, top: number, width: number, height: number, choice: number }} LabelPlace
 *
 * @typedef {Omit<LabelPlace, "choice">} Rectangle
 */

/** How much more covering a label costs than covering a face. */
const LABEL_COST = 4;

/** Share of a label's area that may be covered by others before a shorter text is tried. */
const TOLERATED = 0.05;

/**
 * Choose a place for the label of each face. Larger faces, which come first, choose first.
 * @param {Box[]} boxes
 * @param {number[][]} widths Of the texts of each face, the longest first.
 * @param {{ height: number, gap: number, canvas: { width: number, height: number } }} room Height of a label, distance
 *   from its face, and the size of the image.
 * @returns {(LabelPlace | null)[]} Null where no text finds a free place.
 */
export function placeLabels(boxes, widths, { height, gap, canvas }) {
  /** @type {Rectangle[]} */
  const taken = [];
  return boxes.map((box, index) => {
    const others = boxes.filter((_, other) => other !== index).map(rectangleOf);
    const cost = (/** @type {Rectangle} */ place) => LABEL_COST * coveredBy(place, taken) + coveredBy(place, others);
    for (const [choice, width] of widths[index].entries()) {
      const places = candidates(box, width, { height, gap, canvas });
      const best = places.reduce((one, other) => (cost(other) < cost(one) ? other : one));
      const alone = boxes.length === 1 || cost(best) <= TOLERATED * width * height;
      const last = choice === widths[index].length - 1 && coveredBy(best, taken) <= TOLERATED * width * height;
      if (!alone && !last) continue;
      taken.push(best);
      return { ...best, choice };
    }
    return null;
  });
}

/**
 * Return the places of a label near a face, the preferred first: above, below, and inside, at the left and at the right.
 * @param {Box} box
 * @param {number} width
 * @param {{ height: number, gap: number, canvas: { width: number, height: number } }} room
 * @returns {Rectangle[]}
 */
function candidates([x1, y1, x2, y2], width, { height, gap, canvas }) {
  const inside = (/** @type {number} */ left) => Math.max(0, Math.min(left, canvas.width - width));
  const tops = [y1 - height - gap, y2 + gap, y1 + gap, y2 - height - gap].filter((top) => top >= 0 && top + height <= canvas.height);
  const rows = tops.length ? tops : [Math.max(0, Math.min(y1, canvas.height - height))];
  return rows.flatMap((top) => [x1, x2 - width].map((left) => ({ left: inside(left), top, width, height })));
}

/**
 * @param {Box} box
 * @returns {Rectangle}
 */
function rectangleOf([x1, y1, x2, y2]) {
  return { left: x1, top: y1, width: x2 - x1, height: y2 - y1 };
}

/**
 * Return the area of a rectangle that others cover.
 * @param {Rectangle} one
 * @param {Rectangle[]} others
 */
function coveredBy(one, others) {
  return others.reduce((sum, other) => {
    const width = Math.min(one.left + one.width, other.left + other.width) - Math.max(one.left, other.left);
    const height = Math.min(one.top + one.height, other.top + other.height) - Math.max(one.top, other.top);
    return sum + Math.max(0, width) * Math.max(0, height);
  }, 0);
}
