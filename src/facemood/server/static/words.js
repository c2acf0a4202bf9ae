// What expressions are called, how sure a reading is in words, and how such faces often look.

/** @typedef {[label: string, probability: number]} Ranked */

/** @type {Record<string, string>} */
export const MEANINGS = {
  angry: "Brows low and drawn together, a hard look, lips pressed or teeth shown.",
  disgust: "The nose is wrinkled, the upper lip raised.",
  fear: "Eyes wide, brows raised and drawn together, the mouth stretched.",
  happy: "The corners of the mouth go up, the cheeks rise, small folds beside the eyes.",
  sad: "The inner ends of the brows go up, the corners of the mouth down.",
  surprise: "Brows high, eyes wide, the jaw dropped.",
  neutral: "A resting face. It can look stern or sad without meaning it.",
  contempt: "One corner of the mouth is tightened, and only one.",
};

const CLEARLY = 0.85;
const PROBABLY = 0.6;
const CLOSE = 0.15;

/**
 * Write a probability in whole per cent, without claiming certainty.
 * @param {number} probability
 */
export function percent(probability) {
  if (probability >= 0.995) return ">99%";
  return probability < 0.005 ? "<1%" : `${Math.round(100 * probability)}%`;
}

/**
 * Say how sure a reading is: what follows the expression's word.
 * @param {Ranked[]} ranked Best first.
 * @param {boolean} [certain]
 */
export function howSure(ranked, certain) {
  const [first, second] = ranked;
  if (second && first[1] - second[1] < CLOSE) return `or ${second[0]}, hard to tell`;
  if (certain === false || first[1] < PROBABLY) return "perhaps";
  return first[1] < CLEARLY ? "probably" : "clearly";
}

/**
 * Sort an object of probabilities, best first.
 * @param {Record<string, number>} emotions
 */
export function ranking(emotions) {
  return Object.entries(emotions).sort((one, other) => other[1] - one[1]);
}

/**
 * Write seconds as a clock does.
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
