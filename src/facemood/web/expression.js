// From the logits of the heads to calibrated probabilities, as stages/classify.py and models/operating_point.py have it.

/**
 * @import { ModelCard, OperatingPoint } from "./card.js"
 *
 * Which expressions are assumed to be common: as the card's operating point says, as in training, or all alike.
 * @typedef {"tuned" | "dataset" | "balanced"} Prior
 *
 * The logits of each head for one face.
 * @typedef {Record<string, ArrayLike<number>>} Logits
 *
 * The probabilities of a head's labels for one face, and whether the prediction counts as certain (null: not known).
 * @typedef {{ probabilities: Float32Array, certain: boolean | null }} Prediction
 */

/** Priors that can be asked for. */
export const PRIORS = /** @type {const} */ (["tuned", "dataset", "balanced"]);

/** Probabilities are raised to this before their logarithm is taken. */
const MIN_PROBABILITY = 1e-9;

/**
 * Turn the logits of a model's heads for one face into a calibrated prediction of one head's labels.
 * @param {ModelCard} card
 * @param {string} head
 * @param {Logits} logits
 * @param {Prior} prior One that the card supports, as `choosePrior` returns it.
 * @returns {Prediction}
 */
export function predict(card, head, logits, prior) {
  const point = card.operating_point[head];
  if (prior === "tuned") {
    const probabilities = tune(card, head, logits, point);
    return { probabilities, certain: probabilities[argmax(probabilities)] >= point.certain };
  }
  const usual = calibrate(card, head, logits[head], 0);
  const probabilities = prior === "balanced" ? calibrate(card, head, logits[head], card.balance[head]) : usual;
  if (!(head in card.certain)) return { probabilities, certain: null };
  const best = argmax(usual);
  return { probabilities, certain: usual[best] >= card.certain[head] && best === argmax(probabilities) };
}

/**
 * Turn logits into probabilities at an operating point: the log-probabilities of both heads are pooled, and so are
 * their priors; a part of the pooled prior is removed.
 * @param {ModelCard} card
 * @param {string} head
 * @param {Logits} logits
 * @param {OperatingPoint} point
 */
function tune(card, head, logits, point) {
  const { second, weight, strength, temperature } = point;
  const [labels, others] = [card.heads[head], card.heads[second]];
  const columns = others.map((label) => labels.indexOf(label));
  const [own, other] = [head, second].map((name) => calibrate(card, name, logits[name], 0));
  const pooled = pool(own, other, columns, weight);
  const prior = pool(card.prior[head], card.prior[second], columns, weight);
  return softmax(Float32Array.from(pooled, (value, label) => (value - strength * prior[label]) / temperature));
}

/**
 * Mix the log-probabilities of two heads. Labels that the second head does not know keep the first head's probability;
 * the second head's share the rest.
 * @param {ArrayLike<number>} own
 * @param {ArrayLike<number>} second
 * @param {number[]} columns Place of each label of the second head among those of the first.
 * @param {number} weight Of the second head, 0..1.
 */
function pool(own, second, columns, weight) {
  const wide = Float32Array.from(own);
  const known = new Set(columns);
  const rest = 1 - wide.reduce((sum, value, label) => (known.has(label) ? sum : sum + value), 0);
  columns.forEach((label, place) => (wide[label] = second[place] * rest));
  return wide.map((value, label) => (1 - weight) * logOf(own[label]) + weight * logOf(value));
}

/** @param {number} probability */
function logOf(probability) {
  return Math.log(Math.max(probability, MIN_PROBABILITY));
}

/**
 * Turn a head's logits into probabilities by temperature scaling, and remove a part of the prior of the training images.
 * @param {ModelCard} card
 * @param {string} head
 * @param {ArrayLike<number>} logits
 * @param {number} strength 0 keeps the prior, 1 removes it.
 */
export function calibrate(card, head, logits, strength) {
  const temperature = card.temperature[head] ?? 1;
  const scaled = Float32Array.from(logits, (value) => value / temperature);
  return softmax(strength ? scaled.map((value, label) => value - strength * Math.log(card.prior[head][label])) : scaled);
}

/**
 * Turn logits into probabilities.
 * @param {Float32Array} logits
 */
function softmax(logits) {
  const most = logits.reduce((one, other) => Math.max(one, other), -Infinity);
  const powers = logits.map((value) => Math.exp(value - most));
  const sum = powers.reduce((one, other) => one + other, 0);
  return powers.map((value) => value / sum);
}

/**
 * Return the place of the largest value; of equal ones, the first.
 * @param {ArrayLike<number>} values
 */
export function argmax(values) {
  let best = 0;
  for (let place = 1; place < values.length; place++) if (values[place] > values[best]) best = place;
  return best;
}

/**
 * Return the head that predicts: the given one, or the model's default.
 * @param {ModelCard} card
 * @param {string} [head]
 * @throws {Error} The model has no such head.
 */
export function chooseHead(card, head = card.default_head) {
  if (head in card.heads) return head;
  throw new Error(`model '${card.name}' has no head '${head}'; it has ${Object.keys(card.heads).join(", ")}`);
}

/**
 * Return the given prior, after checking that the model supports it; without one, the default of the head.
 * @param {ModelCard} card
 * @param {string} head
 * @param {Prior} [prior]
 * @returns {Prior}
 * @throws {Error} The prior is unknown, or the card does not have what it needs.
 */
export function choosePrior(card, head, prior) {
  if (prior === undefined) return head in card.operating_point ? "tuned" : "dataset";
  if (!PRIORS.includes(prior)) throw new Error(`prior must be one of ${PRIORS.join(", ")}, but is '${prior}'`);
  const known = { tuned: head in card.operating_point, dataset: true, balanced: head in card.prior && head in card.balance };
  if (known[prior]) return prior;
  throw new Error(`model '${card.name}' does not have what prior '${prior}' needs for the head '${head}'; use 'dataset'`);
}
