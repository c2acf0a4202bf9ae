// The whole pipeline on pixels: detect, landmarks, align, classify, as pipeline.py has it.

import { canMap, contrastMap, evidenceOf } from "./activation.js";
import { cutFace, squareOf } from "./align.js";
import { argmax, chooseHead, choosePrior, predict } from "./expression.js";
import { Finder } from "./finder.js";
import { LandmarkModel } from "./landmarks.js";
import { Network } from "./network.js";
import { turnBox, turnPoints, turnPose } from "./orientation.js";
import { findInPhoto } from "./photos.js";
import { VideoScene } from "./scene.js";

/**
 * @import { ActionUnits, Measured } from "./action_units.js"
 * @import { Evidence } from "./activation.js"
 * @import { Prediction, Prior } from "./expression.js"
 * @import { Candidate } from "./finder.js"
 * @import { Ort } from "./ort.js"
 * @import { DetectOptions } from "./photos.js"
 * @import { Picture } from "./pixels.js"
 * @import { SceneOptions } from "./scene.js"
 *
 * The networks: ONNX files with their cards, which may be on their way.
 * @typedef {Record<"finder" | "landmarks" | "expression", Uint8Array | Promise<Uint8Array>>} Networks
 *
 * How pictures are read: which faces count, the model's head, which expressions are assumed to be common, and whether
 * faces have an activation map, and head pose and action units.
 * @typedef {DetectOptions & { head?: string, prior?: Prior, maps?: boolean, actionUnits?: boolean }} ReadOptions
 *
 * A face of a picture with its prediction, and what its activation map is made from.
 * @typedef {Candidate & Prediction & { track?: number, raw?: Float32Array, displayed?: string, evidence?: Evidence | null, measured?: Measured }} ReadFace
 *
 * The activation map of a face: rows of values from the top, -1..1, positive where the face supports its label. The box
 * is turned by `tilt` degrees, clockwise in the picture.
 * @typedef {{ box: [number, number, number, number], tilt: number, values: number[][] }} FaceMap
 *
 * A face as it is reported: the keys of the JSON of facemood's results.
 * @typedef {object} Face
 * @property {number} face Its number, the largest first.
 * @property {[number, number, number, number]} box x1 y1 x2 y2 in pixels.
 * @property {number} score Detection score, 0..1.
 * @property {number} [track_id] Number of the person in a video.
 * @property {string} emotion The most probable label.
 * @property {number} confidence Its probability.
 * @property {boolean} [certain] Whether the prediction counts as certain.
 * @property {Record<string, number>} emotions The probability of each label.
 * @property {Record<string, number>} [raw_emotions] The same in the single frame, before smoothing.
 * @property {string} [display_label] Steady label for display.
 * @property {Record<string, number>} [pose] Yaw, pitch and roll of the head in degrees, if it was asked for.
 * @property {Record<string, number>} [action_units] Intensities 0..1 of action units, such as AU12 and its sides AU12R and
 *   AU12L, if they were asked for and can be measured.
 * @property {FaceMap} [map] Which parts of the face are evidence for its label, if it was asked for.
 * @property {[number, number][]} landmarks 68 points in pixels, in iBUG order.
 */

/** Name of the detector, by which cards frame their crops. */
const DETECTOR = "finder";

/** Smallest face in pixels unless another size is asked for: that of Python. */
const MIN_FACE = 24;

export class Engine {
  /**
   * @param {Finder} finder
   * @param {LandmarkModel} landmarkModel
   * @param {Network} network The expression network.
   */
  constructor(finder, landmarkModel, network) {
    this.finder = finder;
    this.landmarkModel = landmarkModel;
    this.network = network;
    /** @type {ActionUnits | null} Measures action units, once they have been asked for. */
    this.units = null;
  }

  /**
   * Open the three networks, each when it and the runtime are there; one at a time, as the runtime demands.
   * @param {Ort | Promise<Ort>} runtime
   * @param {Networks} files
   * @param {string} [provider] What runs them.
   */
  static async open(runtime, files, provider = "wasm") {
    /** @type {Promise<unknown>} */
    let last = Promise.resolve();
    const open = async (/** @type {Uint8Array | Promise<Uint8Array>} */ file) => {
      const [ort, model] = await Promise.all([runtime, file]);
      const network = last.then(() => Network.open(ort, model, provider));
      last = network.catch(() => {});
      return network;
    };
    const [finder, points, network] = await Promise.all([open(files.finder), open(files.landmarks), open(files.expression)]);
    const { name, task } = network.card;
    if (task !== "expression") throw new Error(`the model '${name}' is for the task '${task}', but expected 'expression'`);
    const landmarkModel = new LandmarkModel(points);
    return new Engine(new Finder(finder, landmarkModel), landmarkModel, network);
  }

  /**
   * Return what results depend on.
   * @param {Partial<ReadOptions>} options
   */
  info(options) {
    const { card } = this.network;
    const head = chooseHead(card, options.head);
    const prior = choosePrior(card, head, options.prior);
    return {
      model: card.name, model_version: card.version, head, labels: card.heads[head], prior, detector: DETECTOR,
      min_face: options.minFace ?? MIN_FACE,
    };
  }

  /**
   * Return whether the network outputs what activation maps are made from.
   * @param {Partial<ReadOptions>} options
   */
  canMap(options) {
    return canMap(this.network.session.outputNames, chooseHead(this.network.card, options.head));
  }

  /**
   * Read the faces of one picture.
   * @param {Picture} image RGB.
   * @param {Partial<ReadOptions>} [options]
   * @returns {Promise<Face[]>} Largest first, in pixels of the picture.
   */
  async readPhoto(image, options = {}) {
    const view = await findInPhoto(this.finder, image, { minFace: MIN_FACE, ...options });
    const faces = await this.classify(view.image, this.measure(view.image, view.faces, options), options);
    const upright = faces.map((face) => ({
      ...face, box: turnBox(face.box, view.orientation, image), points: turnPoints(face.points, view.orientation, image),
      ...(face.measured?.pose && { measured: { ...face.measured, pose: turnPose(face.measured.pose, view.orientation) } }),
    }));
    return this.report(upright, options);
  }

  /**
   * Return a scene that tracks the people of one video, camera or screen, and smooths their predictions.
   * @param {Partial<ReadOptions> & SceneOptions} [options]
   */
  scene(options = {}) {
    return new VideoScene(this, { minFace: MIN_FACE, ...options });
  }

  /**
   * Add head pose and action units to the faces of an image, if they are asked for.
   * @template {Candidate} Found
   * @param {Picture} image
   * @param {Found[]} faces
   * @param {Partial<ReadOptions>} options
   * @returns {(Found & { measured?: Measured })[]}
   */
  measure(image, faces, { actionUnits }) {
    if (!actionUnits) return faces;
    const { units } = this;
    if (!units) throw new Error("the parameters of action units have not been opened");
    return faces.map((face) => ({ ...face, measured: units.measure(image, face) }));
  }

  /**
   * Predict the expression of each face of an image, in one run of the network.
   * @template {Candidate} Found
   * @param {Picture} image
   * @param {Found[]} faces
   * @param {Partial<ReadOptions>} options
   * @returns {Promise<(Found & Prediction & { evidence: Evidence | null })[]>}
   */
  async classify(image, faces, options) {
    if (!faces.length) return [];
    const { card } = this.network;
    const head = chooseHead(card, options.head);
    const prior = choosePrior(card, head, options.prior);
    const outputs = await this.network.run(faces.map((face) => cutFace(image, squareOf(face, card.framing, DETECTOR))));
    return faces.map((face, row) => {
      const logits = Object.fromEntries(Object.entries(card.heads).map(([name, { length }]) => [
        name, outputs[name].data.subarray(row * length, (row + 1) * length),
      ]));
      const evidence = options.maps ? evidenceOf(outputs, row, logits) : null;
      return { ...face, ...predict(card, head, logits, prior), evidence };
    });
  }

  /**
   * Return faces as they are reported.
   * @param {ReadFace[]} faces
   * @param {Partial<ReadOptions>} options
   * @returns {Face[]}
   */
  report(faces, options) {
    const { card } = this.network;
    const labels = card.heads[chooseHead(card, options.head)];
    return faces.map((face, number) => ({ ...reportedFace(face, number, labels), ...this.#mapped(face, options) }));
  }

  /**
   * Return the activation map of a face's reported label, if there is one.
   * @param {ReadFace} face
   * @param {Partial<ReadOptions>} options
   * @returns {{ map?: FaceMap }}
   */
  #mapped(face, options) {
    if (!face.evidence) return {};
    const { card } = this.network;
    const head = chooseHead(card, options.head);
    const label = face.displayed ? card.heads[head].indexOf(face.displayed) : argmax(face.probabilities);
    const { box, tilt } = squareOf(face, card.framing, DETECTOR);
    const values = contrastMap(card, head, choosePrior(card, head, options.prior), face.evidence, label);
    return { map: { box: [box[0], box[1], box[2], box[3]], tilt, values } };
  }
}

/**
 * @param {ReadFace} face
 * @param {number} number
 * @param {string[]} labels
 * @returns {Face}
 */
function reportedFace({ box, score, points, probabilities, certain, track, raw, displayed, measured }, number, labels) {
  const best = argmax(probabilities);
  const named = (/** @type {Float32Array} */ values) => Object.fromEntries(labels.map((label, place) => [label, values[place]]));
  const { pose = null, units = {} } = measured ?? {};
  return {
    face: number,
    box: [box[0], box[1], box[2], box[3]],
    score,
    ...(track !== undefined && { track_id: track }),
    emotion: labels[best],
    confidence: probabilities[best],
    ...(certain !== null && { certain }),
    emotions: named(probabilities),
    ...(raw && { raw_emotions: named(raw) }),
    ...(displayed && { display_label: displayed }),
    ...(pose && { pose: { yaw: pose[0], pitch: pose[1], roll: pose[2] } }),
    ...(Object.keys(units).length && { action_units: units }),
    landmarks: Array.from({ length: points.length / 2 }, (_, point) => [points[2 * point], points[2 * point + 1]]),
  };
}
