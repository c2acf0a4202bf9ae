// One person's expressions over the last minute. The height is the confidence; labels are written where they fit.

import { colourOf, inkOn } from "./colours.js";
import { t } from "./language.js";
import { contextOf } from "./parts.js";

/**
 * Times are in seconds.
 * @typedef {{ time: number, label: string, confidence: number }} Moment
 * @typedef {{ label: string, start: number, end: number, moments: (Moment & { end: number })[] }} Episode
 */

/** Seconds that a timeline covers. */
export const SPAN = 60;

/** Height of a confidence of 0, as a share of the timeline's height, so that its label can be read. */
const LOWEST = 0.3;

/** Longest time between two results of one episode, in seconds. */
const GAP = 1.5;

/**
 * Draw moments up to `now`.
 * @param {HTMLCanvasElement} canvas
 * @param {Moment[]} moments
 * @param {number} now
 */
export function drawTimeline(canvas, moments, now) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
  if (!width || !height) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = contextOf(canvas);
  context.clearRect(0, 0, width, height);
  const place = (/** @type {number} */ time) => width * (1 - (now - time) / SPAN);
  for (const episode of episodes(moments, now)) drawEpisode(context, episode, place, height, ratio);
}

/**
 * Join moments with the same label into episodes; a gap longer than `GAP` ends an episode.
 * @param {Moment[]} moments
 * @param {number} now
 */
export function episodes(moments, now) {
  /** @type {Episode[]} */
  const joined = [];
  moments.forEach((moment, index) => {
    const next = moments[index + 1]?.time ?? now;
    const end = Math.min(next, moment.time + GAP);
    const last = joined.at(-1);
    if (last && last.label === moment.label && last.end >= moment.time - 0.001) {
      last.end = end;
      last.moments.push({ ...moment, end });
    } else {
      joined.push({ label: moment.label, start: moment.time, end, moments: [{ ...moment, end }] });
    }
  });
  return joined;
}

/**
 * Describe how long each expression lasted, the longest first.
 * @param {Moment[]} moments
 * @param {number} now
 */
export function describeMoments(moments, now) {
  /** @type {Map<string, number>} */
  const seconds = new Map();
  for (const { label, start, end } of episodes(moments, now)) seconds.set(label, (seconds.get(label) ?? 0) + end - start);
  const parts = [...seconds].sort((one, other) => other[1] - one[1]);
  const said = parts.map(([label, time]) => t("{label} {seconds} seconds", { label: t(label), seconds: Math.round(time) }));
  return t("The last minute: {what}", { what: said.join(", ") || t("nothing") });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Episode} episode
 * @param {(time: number) => number} place
 * @param {number} height
 * @param {number} ratio
 */
function drawEpisode(context, episode, place, height, ratio) {
  const colour = colourOf(episode.label);
  context.fillStyle = colour;
  for (const { time, end, confidence } of episode.moments) {
    const tall = height * (LOWEST + (1 - LOWEST) * confidence);
    const [left, right] = [Math.floor(place(time)), Math.ceil(place(end))];
    context.fillRect(left, height - tall, right - left, tall);
  }
  const size = 12 * ratio;
  context.font = `600 ${size}px system-ui, sans-serif`;
  const left = Math.max(place(episode.start), 0) + 4 * ratio;
  const label = t(episode.label);
  if (place(episode.end) - left < context.measureText(label).width + 2 * ratio) return;
  context.fillStyle = inkOn(colour);
  context.fillText(label, left, height - 5 * ratio);
}
