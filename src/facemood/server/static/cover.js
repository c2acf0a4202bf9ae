// The image with its faces hidden: shown instead of the video, so that no face is visible before it was found.

import { blurredFace, hiddenPart } from "../../web/anonymize.js";
import { rgbOf } from "../../web/pixels.js";
import { contextOf } from "./parts.js";

/** @import { Result } from "./messages.js" */

/** Holds the image that is being read, and shows it with its faces hidden once they are known. */
export class CoveredView {
  #held = document.createElement("canvas");

  /** @param {HTMLCanvasElement} canvas Shows the image. */
  constructor(canvas) {
    this.canvas = canvas;
  }

  /**
   * Hold the current image of a video, and return it: this very image must be read.
   * @param {HTMLVideoElement} video
   */
  hold(video) {
    resize(this.#held, video.videoWidth, video.videoHeight);
    contextOf(this.#held).drawImage(video, 0, 0);
    return this.#held;
  }

  /**
   * Show the held image with the faces that were found in it hidden.
   * @param {Result} result
   */
  show(result) {
    resize(this.canvas, this.#held.width, this.#held.height);
    contextOf(this.canvas).drawImage(this.#held, 0, 0);
    coverFaces(this.canvas, result);
  }

  /** Show nothing. */
  clear() {
    contextOf(this.canvas).clearRect(0, 0, this.canvas.width, this.canvas.height);
  }
}

/**
 * Hide the faces of a result in a canvas that shows its image.
 * @param {HTMLCanvasElement} canvas
 * @param {Result} result
 */
export function coverFaces(canvas, { faces, size }) {
  const context = contextOf(canvas);
  for (const { box } of faces) {
    const place = box.map((value, at) => (value * (at % 2 ? canvas.height / size[1] : canvas.width / size[0])));
    const { x, y, width, height } = hiddenPart(place, canvas);
    if (!width || !height) continue;
    const part = context.getImageData(x, y, width, height);
    const { data } = blurredFace(rgbOf(part), Math.max(place[2] - place[0], place[3] - place[1]));
    for (let from = 0, to = 0; from < data.length; to += 4) {
      for (let channel = 0; channel < 3; channel++) part.data[to + channel] = data[from++];
    }
    context.putImageData(part, x, y);
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
function resize(canvas, width, height) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
}
