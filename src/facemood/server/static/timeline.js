// What one person showed over the last minute: height is the probability, and words stand where there is room.

import { colourOf, inkOn } from "./colours.js";
import { penOf } from "./parts.js";

/**
 * Times are in seconds.
 * @typedef {{ time: number, label: string, confidence: number }} Moment
 * @typedef {{ label: string, start: number, end: number, moments: (Moment & { end: number })[] }} Spell
 */

export const SPAN = 60;
const LOWEST = 0.3;
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
  const pen = penOf(canvas);
  pen.clearRect(0, 0, width, height);
  const place = (/** @type {number} */ time) => width * (1 - (now - time) / SPAN);
  for (const spell of spells(moments, now)) drawSpell(pen, spell, place, height, ratio);
}

/**
 * Join moments of one label into spells; a longer pause ends one.
 * @param {Moment[]} moments
 * @param {number} now
 */
export function spells(moments, now) {
  /** @type {Spell[]} */
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
 * Say in words how long each expression was shown, the longest first.
 * @param {Moment[]} moments
 * @param {number} now
 */
export function inWords(moments, now) {
  /** @type {Map<string, number>} */
  const seconds = new Map();
  for (const { label, start, end } of spells(moments, now)) seconds.set(label, (seconds.get(label) ?? 0) + end - start);
  const parts = [...seconds].sort((one, other) => other[1] - one[1]);
  return `The last minute: ${parts.map(([label, time]) => `${label} ${Math.round(time)} seconds`).join(", ") || "nothing"}`;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Spell} spell
 * @param {(time: number) => number} place
 * @param {number} height
 * @param {number} ratio
 */
function drawSpell(pen, spell, place, height, ratio) {
  const colour = colourOf(spell.label);
  pen.fillStyle = colour;
  for (const { time, end, confidence } of spell.moments) {
    const tall = height * (LOWEST + (1 - LOWEST) * confidence);
    const [left, right] = [Math.floor(place(time)), Math.ceil(place(end))];
    pen.fillRect(left, height - tall, right - left, tall);
  }
  const size = 12 * ratio;
  pen.font = `600 ${size}px system-ui, sans-serif`;
  const left = Math.max(place(spell.start), 0) + 4 * ratio;
  if (place(spell.end) - left < pen.measureText(spell.label).width + 2 * ratio) return;
  pen.fillStyle = inkOn(colour);
  pen.fillText(spell.label, left, height - 5 * ratio);
}
