// The faces of unrelated pictures: the detector runs on each, and nothing is remembered. See tracking/scene.py.

import { SURE, THRESHOLD } from "./finder.js";
import { areaOf, shorterSide, tiltOf } from "./geometry.js";
import { TURNED, turnPicture } from "./orientation.js";

/**
 * @import { Candidate, Finder } from "./finder.js"
 * @import { Picture } from "./pixels.js"
 *
 * Which faces count, and how pictures are turned to be upright: "auto", or degrees clockwise.
 * @typedef {object} DetectOptions
 * @property {number} minFace Smallest face: the shorter side of its box, in pixels.
 * @property {number} [threshold] Lowest detection score, 0..1.
 * @property {number} [maxFaces] Largest number of faces, largest first.
 * @property {"auto" | 0 | 90 | 180 | 270} [orientation]
 *
 * A picture as the stages read it, its faces, and by how many degrees it was turned clockwise.
 * @typedef {{ image: Picture, faces: Candidate[], orientation: number }} UprightView
 */

/** Roll in degrees from which a face lies, rather than being tilted. */
const LYING = 60;

/**
 * Keep the faces that count, largest first.
 * @template {Candidate} Face
 * @param {Face[]} faces
 * @param {DetectOptions} options
 * @returns {Face[]}
 */
export function selectFaces(faces, { minFace, threshold = 0, maxFaces }) {
  const kept = faces.filter(({ box, score }) => score >= threshold && shorterSide(box) >= minFace);
  return kept.sort((one, other) => areaOf(other.box) - areaOf(one.box)).slice(0, maxFaces);
}

/**
 * Find the faces of a picture. With "auto", a picture without a sure face is tried at 90, 180 and 270 degrees. One of
 * them counts if it has a sure face, and not fewer faces.
 * @param {Finder} finder
 * @param {Picture} image
 * @param {DetectOptions} options
 * @returns {Promise<UprightView>}
 */
export async function findInPhoto(finder, image, options) {
  const { orientation = "auto", threshold = THRESHOLD, minFace } = options;
  const look = async (/** @type {number} */ degrees) => {
    const turned = turnPicture(image, degrees);
    return { image: turned, faces: selectFaces(await finder.detect(turned, options), options), orientation: degrees };
  };
  if (orientation !== "auto") return look(orientation);
  const asGiven = await look(0);
  const isSure = (/** @type {Candidate} */ face) => face.score >= Math.max(SURE, threshold) && !isLying(face);
  if (Math.min(image.width, image.height) < minFace || asGiven.faces.some(isSure)) return asGiven;
  let [best, most] = [asGiven, 0];
  for (const degrees of TURNED) {
    const view = await look(degrees);
    const sure = view.faces.filter(isSure).reduce((sum, { score }) => sum + score, 0);
    if (sure > most) [best, most] = [view, sure];
  }
  return best.faces.length >= asGiven.faces.length ? best : asGiven;
}

/**
 * Return whether a face lies by the line between its outer eye corners.
 * @param {Candidate} face
 */
function isLying({ points }) {
  return Math.abs(tiltOf(points, 36, 45)) > LYING;
}
