// Boxes and landmarks, as geometry.py has them.

/** How far above the brows a face's box begins, as a share of the height of its landmarks. */
const LIFT = 0.25;

/** Smallest divisor, where an area may be 0. */
const TINY = 1e-9;

/** Numbers of a face with 68 landmarks: x and y of each. */
export const POINT_VALUES = 136;

/**
 * Numbers in single precision, as Python has them: a box is x1 y1 x2 y2 in pixels, points are x and y of each.
 * @typedef {Float32Array} Floats
 */

/**
 * Return the box of a face: the span of its landmarks, extended upwards by a quarter beyond the brows.
 * @param {Floats} points
 */
export function boxOfPoints(points) {
  const box = Float32Array.of(Infinity, Infinity, -Infinity, -Infinity);
  for (let at = 0; at < points.length; at += 2) {
    box[0] = Math.min(box[0], points[at]);
    box[1] = Math.min(box[1], points[at + 1]);
    box[2] = Math.max(box[2], points[at]);
    box[3] = Math.max(box[3], points[at + 1]);
  }
  box[1] -= Math.fround(LIFT * Math.fround(box[3] - box[1]));
  return box;
}

/**
 * Return the area of a box.
 * @param {Floats} box
 */
export function areaOf(box) {
  return Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);
}

/**
 * Return the shorter side of a box.
 * @param {Floats} box
 */
export function shorterSide(box) {
  return Math.min(box[2] - box[0], box[3] - box[1]);
}

/**
 * Return the area that two boxes share.
 * @param {Floats} one
 * @param {Floats} other
 */
function sharedArea(one, other) {
  const width = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const height = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  return Math.max(0, width) * Math.max(0, height);
}

/**
 * Return the intersection over union of two boxes, 0..1.
 * @param {Floats} one
 * @param {Floats} other
 */
export function iou(one, other) {
  const both = sharedArea(one, other);
  return Math.fround(both / Math.max(areaOf(one) + areaOf(other) - both, TINY));
}

/**
 * Return the intersection over minimum area of two boxes, 0..1; 1 if one is inside the other.
 * @param {Floats} one
 * @param {Floats} other
 */
export function iom(one, other) {
  return Math.fround(sharedArea(one, other) / Math.max(Math.min(areaOf(one), areaOf(other)), TINY));
}

/**
 * Greedy non-maximum suppression: of overlapping boxes, keep the one with the highest score.
 * @template {{ box: Floats, score: number }} Scored
 * @param {Scored[]} boxes
 * @param {{ iouFrom: number, iomFrom?: number }} limits From which overlap on two boxes are the same face.
 * @returns {Scored[]} Highest score first.
 */
export function nonMaxSuppression(boxes, { iouFrom, iomFrom = Infinity }) {
  /** @type {Scored[]} */
  const kept = [];
  for (const one of [...boxes].sort((first, second) => second.score - first.score)) {
    const same = kept.some((best) => iou(best.box, one.box) >= iouFrom || iom(best.box, one.box) >= iomFrom);
    if (!same) kept.push(one);
  }
  return kept;
}

/**
 * Return the roll of a head by the line between two points, in degrees, clockwise in the image.
 * @param {Floats} points
 * @param {number} right Number of the point at the subject's right eye.
 * @param {number} left Number of the point at the left eye.
 */
export function tiltOf(points, right, left) {
  const [across, down] = [points[2 * left] - points[2 * right], points[2 * left + 1] - points[2 * right + 1]];
  return (Math.atan2(down, across) * 180) / Math.PI;
}
