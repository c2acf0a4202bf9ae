// Descriptions of expressions, and confidence and time as text.

import { t } from "./language.js";

/** @typedef {[label: string, probability: number]} Ranked */

/** @type {Record<string, string>} */
export const MEANINGS = {
  angry: "Brows low and drawn together, a hard look, lips pressed or teeth shown.",
  disgust: "The nose is wrinkled, the upper lip raised.",
  fear: "Eyes wide, brows raised and drawn together, the mouth stretched.",
  happy: "The corners of the mouth go up, the cheeks rise, small wrinkles at the eyes.",
  sad: "The inner ends of the brows go up, the corners of the mouth down.",
  surprise: "Brows high, eyes wide, the jaw dropped.",
  neutral: "A relaxed face. Some people look stern or sad when relaxed.",
  contempt: "One corner of the mouth is tightened, and only one.",
};

/** Confidence from which a prediction is called clear, 0..1. */
const CLEARLY = 0.85;

/** Confidence from which a prediction is called probable, 0..1. */
const PROBABLY = 0.6;

/** Below this difference in probability, the second label is named too. */
const CLOSE = 0.15;

/**
 * Format a probability as a whole percentage, never as 0% or 100%.
 * @param {number} probability
 */
export function percent(probability) {
  if (probability >= 0.995) return ">99%";
  return probability <= 0.005 ? "<1%" : `${Math.round(100 * probability)}%`;
}

/**
 * Describe how certain a prediction is, as words that follow its label. They never contradict the bars: a label that
 * is clearly behind another one, as a steady label is for a moment, is said to turn into it.
 * @param {Ranked[]} ranked The label first, then the others, best first.
 * @param {boolean} [certain] False if the server reports the prediction as uncertain.
 */
export function certaintyOf(ranked, certain) {
  const [first, second] = ranked;
  if (second && first[1] - second[1] <= -CLOSE) return t("turning {label}", { label: t(second[0]) });
  if (second && first[1] - second[1] < CLOSE) return t("or {label}, hard to tell", { label: t(second[0]) });
  if (certain === false || first[1] < PROBABLY) return t("perhaps");
  return t(first[1] < CLEARLY ? "probably" : "clearly");
}

/**
 * Sort an object of probabilities, best first. Equal ones keep the order of the labels, as in Python.
 * @param {Record<string, number>} emotions
 */
export function ranking(emotions) {
  return Object.entries(emotions).sort((one, other) => other[1] - one[1]);
}

/**
 * Format seconds as minutes and seconds, such as 1:05.
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
