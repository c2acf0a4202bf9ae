// A network and its card: makes the input from images, as models/session.py does, and runs it.

import { readCard } from "./card.js";
import { blank, greyOf, resize } from "./pixels.js";

/**
 * @import { ModelCard } from "./card.js"
 * @import { Picture } from "./pixels.js"
 * @import { InferenceSession, Ort, Tensor } from "./ort.js"
 */

/** The channels of a picture in the order of each colour. */
const ORDER = { grey: [0], rgb: [0, 1, 2], bgr: [2, 1, 0] };

/** An open network. Its input buffer is used again, so runs must not overlap. */
export class Network {
  #buffer = new Float32Array(0);

  /**
   * @param {Ort} ort
   * @param {InferenceSession} session
   * @param {ModelCard} card
   */
  constructor(ort, session, card) {
    this.ort = ort;
    this.session = session;
    this.card = card;
  }

  /**
   * Open a network, and run it once, because the first run is slow.
   * @param {Ort} ort
   * @param {Uint8Array} model An ONNX file with a card.
   * @param {string} provider What runs it.
   */
  static async open(ort, model, provider) {
    const card = readCard(model);
    const options = { executionProviders: [provider], graphOptimizationLevel: "all" };
    const network = new Network(ort, await ort.InferenceSession.create(model, options), card);
    await network.run([blank(1, 1, 1)]);
    return network;
  }

  /**
   * Return room for an input; what a former input held is overwritten.
   * @param {number} length
   */
  room(length) {
    if (this.#buffer.length < length) this.#buffer = new Float32Array(length);
    return this.#buffer.subarray(0, length);
  }

  /**
   * Run the network over crops, which are brought to its size and colour.
   * @param {Picture[]} crops
   * @returns {Promise<Record<string, Tensor>>} Each output by its name, for all crops one after the other.
   */
  async run(crops) {
    const [width, height] = this.card.input_size;
    const channels = ORDER[this.card.colour].length;
    const length = channels * width * height;
    const batch = this.room(crops.length * length);
    crops.forEach((crop, index) => this.#prepare(crop, batch.subarray(index * length, (index + 1) * length)));
    return this.runBatch(batch, [crops.length, channels, height, width]);
  }

  /**
   * Run the network over a prepared input.
   * @param {Float32Array} batch
   * @param {number[]} dims
   * @returns {Promise<Record<string, Tensor>>}
   */
  runBatch(batch, dims) {
    return this.session.run({ [this.session.inputNames[0]]: new this.ort.Tensor("float32", batch, dims) });
  }

  /**
   * Write a crop as the network expects it: size, colour, mean and standard deviation of the card.
   * @param {Picture} crop Grey or RGB.
   * @param {Float32Array} to
   */
  #prepare(crop, to) {
    const { input_size: [width, height], colour, mean, std } = this.card;
    const image = resize(colour === "grey" ? greyOf(crop) : crop, width, height);
    const pixels = width * height;
    ORDER[colour].forEach((from, channel) => {
      const [less, by] = [Math.fround(mean[channel]), Math.fround(std[channel])];
      const first = image.channels === 1 ? 0 : from;
      for (let pixel = 0; pixel < pixels; pixel++) {
        to[channel * pixels + pixel] = Math.fround(image.data[pixel * image.channels + first] - less) / by;
      }
    });
  }
}
