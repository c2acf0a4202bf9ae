// Which parts of a face are evidence for its label: class activation maps, as explain/maps.py has them.

import { calibrate, predict } from "./expression.js";

/**
 * @import { ModelCard } from "./card.js"
 * @import { Logits, Prior } from "./expression.js"
 * @import { Tensor } from "./ort.js"
 *
 * What maps are made from: the feature map of one face, the weights of each head, and its logits.
 * @typedef {{ features: Float32Array, rows: number, columns: number, weights: Record<string, Float32Array>, logits: Logits }} Evidence
 *
 * A map of each label: values by place, row by row.
 * @typedef {Float32Array[]} Maps
 */

/** Name of the output with the last feature map, (N, C, rows, columns). */
const FEATURES = "features";

/** Smallest divisor, and smallest probability of a rival. */
const TINY = 1e-6;

/**
 * Return the name of the output with a head's weights, (K, C).
 * @param {string} head
 */
const weightsOf = (head) => `${head}.weights`;

/**
 * Return whether a network outputs what the maps of a head need.
 * @param {readonly string[]} outputs Names of the network's outputs.
 * @param {string} head
 */
export function canMap(outputs, head) {
  return outputs.includes(FEATURES) && outputs.includes(weightsOf(head));
}

/**
 * Return what the maps of one face are made from; null if the network was exported without its feature map.
 * @param {Record<string, Tensor>} outputs Of one run.
 * @param {number} row Of the face in the run.
 * @param {Logits} logits
 * @returns {Evidence | null}
 */
export function evidenceOf(outputs, row, logits) {
  const heads = Object.keys(logits).filter((head) => canMap(Object.keys(outputs), head));
  if (!heads.length) return null;
  const { data, dims: [, channels, rows, columns] } = outputs[FEATURES];
  const size = channels * rows * columns;
  const weights = Object.fromEntries(heads.map((head) => [head, outputs[weightsOf(head)].data]));
  return { features: data.subarray(row * size, (row + 1) * size), rows, columns, weights, logits };
}

/**
 * Return the activation map of a label against its rivals, which are weighted by their probabilities.
 * @param {ModelCard} card
 * @param {string} head
 * @param {Prior} prior
 * @param {Evidence} evidence
 * @param {number} label Its place among the head's labels.
 * @returns {number[][]} Rows from the top, -1..1; positive where the face supports the label.
 */
export function contrastMap(card, head, prior, evidence, label) {
  const { probabilities } = predict(card, head, evidence.logits, prior);
  const maps = prior === "tuned" ? pooledMaps(card, head, evidence, probabilities) : mapsOf(card, head, evidence);
  const rivals = probabilities.map((value, place) => (place === label ? 0 : Math.max(value, TINY)));
  const sum = rivals.reduce((one, other) => one + other, 0);
  const contrast = maps[label].map((value, place) => value - rivals.reduce((less, share, rival) => less + (share / sum) * maps[rival][place], 0));
  const largest = contrast.reduce((most, value) => Math.max(most, Math.abs(value)), TINY);
  const { rows, columns } = evidence;
  return Array.from({ length: rows }, (_, row) => Array.from(contrast.subarray(row * columns, (row + 1) * columns), (value) => value / largest));
}

/**
 * Split each logit of a head into contributions of the places of the face.
 * @param {ModelCard} card
 * @param {string} head
 * @param {Evidence} evidence
 * @returns {Maps}
 */
function mapsOf(card, head, { features, rows, columns, weights }) {
  const places = rows * columns;
  const channels = features.length / places;
  return card.heads[head].map((_, label) => {
    const map = new Float32Array(places);
    for (let channel = 0; channel < channels; channel++) {
      const weight = weights[head][label * channels + channel];
      for (let place = 0; place < places; place++) map[place] += weight * features[channel * places + place];
    }
    return map;
  });
}

/**
 * Pool the maps of two heads as their log-probabilities are pooled; see models/operating_point.py.
 * @param {ModelCard} card
 * @param {string} head
 * @param {Evidence} evidence
 * @param {Float32Array} probabilities The pooled ones.
 */
function pooledMaps(card, head, evidence, probabilities) {
  const { second, weight, temperature } = card.operating_point[head];
  const own = calibrate(card, head, evidence.logits[head], 0);
  const [ownGain, otherGain] = [head, second].map((name) => {
    const shares = name === head ? own : calibrate(card, name, evidence.logits[name], 0);
    return gainsOf(mapsOf(card, name, evidence), shares, card.temperature[name] ?? 1);
  });
  const columns = card.heads[second].map((label) => card.heads[head].indexOf(label));
  const unknown = card.heads[head].map((_, label) => label).filter((label) => !columns.includes(label));
  const rest = 1 - unknown.reduce((sum, label) => sum + own[label], 0);
  const lost = ownGain[0].map((_, place) => unknown.reduce((sum, label) => sum + own[label] * ownGain[label][place], 0) / rest);
  const gain = [...ownGain];
  columns.forEach((label, other) => {
    gain[label] = ownGain[label].map((value, place) => (1 - weight) * value + weight * (otherGain[other][place] - lost[place]));
  });
  return gainsOf(gain, probabilities, temperature);
}

/**
 * Return the first-order changes of a head's log-probabilities.
 * @param {Maps} maps
 * @param {Float32Array} probabilities
 * @param {number} temperature
 * @returns {Maps}
 */
function gainsOf(maps, probabilities, temperature) {
  const mean = maps[0].map((_, place) => maps.reduce((sum, map, label) => sum + probabilities[label] * map[place], 0));
  return maps.map((map) => map.map((value, place) => (value - mean[place]) / temperature));
}
