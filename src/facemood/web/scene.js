// The frames of one video, camera or screen, in order: people have tracks, and predictions are smoothed.

import { argmax } from "./expression.js";
import { FaceFollower } from "./follower.js";
import { Smoother } from "./smoother.js";
import { UnitBaseline } from "./unit_baseline.js";
import { UnitSmoother } from "./unit_smoother.js";

/**
 * @import { Measured } from "./action_units.js"
 * @import { Engine, Face, ReadOptions } from "./engine.js"
 * @import { Picture } from "./pixels.js"
 *
 * How a video is read, in seconds: the time constant of smoothing, and for how long a person who is not visible keeps the
 * track.
 * @typedef {{ smooth?: number, patience?: number }} SceneOptions
 */

/** Time constant of smoothing in seconds, unless another one is asked for. */
const SMOOTH = 0.4;

/**
 * Seconds for which a person who is not visible keeps the track, unless another time is asked for: long, because a slow
 * machine reads few frames.
 */
const PATIENCE = 8;

export class VideoScene {
  /**
   * @param {Engine} engine
   * @param {ReadOptions & SceneOptions} options
   */
  constructor(engine, options) {
    this.engine = engine;
    this.options = options;
    this.follower = new FaceFollower(engine.finder, engine.landmarkModel, options, options.patience ?? PATIENCE);
    this.smoother = new Smoother(options.smooth ?? SMOOTH);
    this.unitSmoother = new UnitSmoother(options.smooth ?? SMOOTH, () => engine.units);
    this.baseline = new UnitBaseline(() => engine.units);
  }

  /**
   * Read the next frame.
   * @param {Picture} image RGB.
   * @param {number} time Seconds since the source began.
   * @param {{ maps?: boolean, actionUnits?: boolean }} [options] Whether faces have an activation map, and action units.
   * @returns {Promise<Face[]>} Largest first.
   */
  async read(image, time, { maps = this.options.maps, actionUnits = this.options.actionUnits } = {}) {
    const options = { ...this.options, maps, actionUnits };
    const found = await this.follower.find(image, time);
    const faces = await this.engine.classify(image, this.engine.measure(image, found, options), options);
    const { labels } = this.engine.info(options);
    this.smoother.begin(time);
    this.unitSmoother.begin(time);
    this.baseline.begin(time);
    const smoothed = faces.map((face) => {
      const raw = face.probabilities;
      const { probabilities, displayed } = this.smoother.smooth(face.track, raw);
      const certain = face.certain && argmax(raw) === displayed;
      const measured = face.measured && this.#compareUnits(face.track, face.measured);
      return { ...face, probabilities, raw, certain, displayed: labels[displayed], ...(measured && { measured }) };
    });
    return this.engine.report(smoothed, options);
  }
  /**
   * Return a person's action units, smoothed and relative to the person's own face.
   * @param {number} track
   * @param {Measured} measured
   * @returns {Measured}
   */
  #compareUnits(track, measured) {
    return { ...measured, units: this.baseline.compare(track, this.unitSmoother.smooth(track, measured.units)) };
  }
}
