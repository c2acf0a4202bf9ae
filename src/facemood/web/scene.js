// The frames of one video, camera or screen, in order: people have tracks, and predictions are smoothed.

import { argmax } from "./expression.js";
import { FaceFollower } from "./follower.js";
import { Smoother } from "./smoother.js";

/**
 * @import { Engine, Face, ReadOptions } from "./engine.js"
 * @import { Picture } from "./pixels.js"
 */

/** Time constant of smoothing in seconds, unless another one is asked for. */
const SMOOTH = 0.4;

/** Seconds for which a person who is not visible keeps the track: long, because a slow machine reads few frames. */
const PATIENCE = 8;

export class VideoScene {
  /**
   * @param {Engine} engine
   * @param {ReadOptions & { smooth?: number }} options
   */
  constructor(engine, options) {
    this.engine = engine;
    this.options = options;
    this.follower = new FaceFollower(engine.finder, engine.landmarkModel, options, PATIENCE);
    this.smoother = new Smoother(options.smooth ?? SMOOTH);
  }

  /**
   * Read the next frame.
   * @param {Picture} image RGB.
   * @param {number} time Seconds since the source began.
   * @returns {Promise<Face[]>} Largest first.
   */
  async read(image, time) {
    const found = await this.follower.find(image, time);
    const faces = await this.engine.classify(image, found, this.options);
    const { labels } = this.engine.info(this.options);
    this.smoother.begin(time);
    const smoothed = faces.map((face) => {
      const raw = face.probabilities;
      const { probabilities, displayed } = this.smoother.smooth(face.track, raw);
      const certain = face.certain && argmax(raw) === displayed;
      return { ...face, probabilities, raw, certain, displayed: labels[displayed] };
    });
    return this.engine.report(smoothed, this.options);
  }
}
