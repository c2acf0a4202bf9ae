// The people in the image: a card for each with the label, its confidence, the top three and the last minute.

import { colourOf } from "./colours.js";
import { glyph } from "./glyphs.js";
import { t } from "./language.js";
import { SPAN, drawTimeline, describeMoments } from "./timeline.js";
import { certaintyOf, percent, ranking } from "./words.js";

/**
 * @import { Box, Face, FaceMap } from "./messages.js"
 * @import { Moment } from "./timeline.js"
 * @import { Ranked } from "./words.js"
 *
 * The face data that a card shows.
 * @typedef {object} View
 * @property {number} key The track ID of a person, or the number of a photo's face, from 0.
 * @property {Box} box
 * @property {FaceMap} [map]
 * @property {string} label
 * @property {number} confidence
 * @property {Ranked[]} ranked The label first, then the others by probability.
 * @property {boolean} [certain]
 * @property {Record<string, number>} [units] Intensities of action units by code, 0..1.
 * @property {Record<string, number>} [measures] Derived measures by name; valence is -1..1, all others 0..1.
 *
 * @typedef {Record<"name" | "track" | "fill" | "share", HTMLElement>} Row
 */

/** Seconds after which the card of a person who left the image is removed. */
const AWAY = 6;

/** Intensity from which an action unit counts as active, as in Python. */
const ACTIVE = 0.5;

/** Seconds between two updates of a timeline's description for screen readers. */
const DESCRIBE_INTERVAL = 5;

/** Number of labels on a card. */
const TOP = 3;

/**
 * Turn a face from the server into the data of its card.
 * @param {Face} face
 * @param {number} number
 * @param {boolean} smoothed
 * @returns {View}
 */
export function viewOf(face, number, smoothed) {
  const raw = smoothed ? undefined : face.raw_emotions;
  const ranked = ranking(raw ?? face.emotions ?? {});
  const label = (raw ? ranked[0]?.[0] : (smoothed && face.display_label) || face.emotion) ?? "";
  /** @type {Ranked} */
  const first = ranked.find(([name]) => name === label) ?? [label, 0];
  const others = ranked.filter(([name]) => name !== label);
  return {
    key: face.track_id ?? number,
    box: face.box,
    map: face.map,
    label,
    confidence: first[1],
    ranked: [first, ...others],
    certain: face.certain,
    units: face.action_units,
    measures: face.measures,
  };
}

/** One card per person, in the order of their numbers. */
export class People {
  /** @type {Map<number, Card>} */
  cards = new Map();

  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
  }

  /**
   * Show the faces of one result.
   * @param {View[]} views
   * @param {number | null} time In seconds, null for a photo.
   */
  show(views, time) {
    for (const view of views) {
      const card = this.cards.get(view.key) ?? this.add(view.key, time !== null);
      card.show(view, time);
    }
    const present = new Set(views.map((view) => view.key));
    for (const [key, card] of this.cards) {
      if (present.has(key)) continue;
      card.element.classList.add("away");
      card.away.textContent = t("not in the image");
      if (time === null || time - card.lastSeen > AWAY) this.remove(key);
    }
    if (time !== null) for (const card of this.cards.values()) card.draw(time);
  }

  clear() {
    this.cards.clear();
    this.list.replaceChildren();
  }

  /**
   * @param {number} key
   * @param {boolean} moving
   */
  add(key, moving) {
    const card = new Card(key, moving);
    const after = [...this.cards].filter(([other]) => other > key).sort(([one], [other]) => one - other)[0];
    this.list.insertBefore(card.element, after ? after[1].element : null);
    this.cards.set(key, card);
    return card;
  }

  /** @param {number} key */
  remove(key) {
    this.cards.get(key)?.element.remove();
    this.cards.delete(key);
  }
}

/**
 * The names of action units by code, where cards show them.
 * @type {Record<string, string> | null}
 */
let unitNames = null;

/**
 * Show action units on the cards from now on, or none.
 * @param {Record<string, string> | null} names By code.
 */
export function nameUnits(names) {
  unitNames = names;
}

class Card {
  /** @type {Moment[]} */
  moments = [];

  /** @type {string | null} */
  label = null;

  /** @type {HTMLCanvasElement | null} */
  canvas = null;

  lastSeen = 0;
  described = -DESCRIBE_INTERVAL;

  /**
   * @param {number} key
   * @param {boolean} moving
   */
  constructor(key, moving) {
    this.element = make("li", "person");
    const title = make("h3");
    this.away = make("span");
    title.append(make("span", "", nameOf(key, moving)), this.away);
    const mood = make("div", "mood");
    const words = make("div");
    this.glyph = make("span");
    this.word = make("p", "word");
    this.how = make("p", "how");
    words.append(this.word, this.how);
    mood.append(this.glyph, words);
    this.bars = make("dl", "bars");
    this.rows = Array.from({ length: TOP }, () => this.addRow());
    this.units = make("p", "units soft");
    this.units.hidden = true;
    this.measures = make("p", "measures soft");
    this.measures.hidden = true;
    this.element.append(title, mood, this.bars, this.measures, this.units);
    if (moving) this.addTimeline();
  }

  /** @returns {Row} */
  addRow() {
    const row = { name: make("dt"), track: make("dd", "track"), fill: make("i"), share: make("dd", "share") };
    row.track.append(row.fill);
    this.bars.append(row.name, row.track, row.share);
    return row;
  }

  addTimeline() {
    this.canvas = make("canvas", "time");
    this.canvas.setAttribute("role", "img");
    const scale = make("p", "scale");
    scale.setAttribute("aria-hidden", "true");
    scale.append(make("span", "", t("a minute ago")), make("span", "", t("now")));
    this.element.append(this.canvas, scale);
  }

  /**
   * @param {View} view
   * @param {number | null} time
   */
  show(view, time) {
    if (view.label !== this.label) {
      this.label = view.label;
      this.word.textContent = t(view.label);
      this.glyph.replaceChildren(glyph(view.label));
      this.element.style.setProperty("--colour", colourOf(view.label));
    }
    this.element.classList.remove("away");
    this.away.textContent = "";
    this.how.textContent = `${certaintyOf(view.ranked, view.certain)}, ${percent(view.confidence)}`;
    this.rows.forEach((row, place) => showRow(row, view.ranked[place]));
    this.units.hidden = unitNames === null;
    this.units.textContent = unitNames ? describeUnits(view.units, unitNames) : "";
    this.measures.hidden = !view.measures;
    this.measures.textContent = view.measures ? describeMeasures(view.measures) : "";
    if (time === null) return;
    this.lastSeen = time;
    this.moments.push({ time, label: view.label, confidence: view.confidence });
    while (this.moments[0].time < time - SPAN) this.moments.shift();
  }

  /** @param {number} time */
  draw(time) {
    if (!this.canvas) return;
    drawTimeline(this.canvas, this.moments, time);
    if (time - this.described < DESCRIBE_INTERVAL) return;
    this.described = time;
    this.canvas.setAttribute("aria-label", describeMoments(this.moments, time));
  }
}

/**
 * The name of a face, with the number that it has in the table: a person's track ID, or a photo's face from 0.
 * @param {number} key
 * @param {boolean} moving
 */
export function nameOf(key, moving) {
  return t(moving ? "Person {number}" : "Face {number}", { number: key });
}

/**
 * Name the active units of a face, the strongest first.
 * @param {Record<string, number> | undefined} units
 * @param {Record<string, string>} names
 */
function describeUnits(units, names) {
  if (!units) return t("Action units: not measured, because the face is turned away, covered or small.");
  const active = Object.entries(units).filter(([code, value]) => code in names && value >= ACTIVE);
  const said = active.sort((one, other) => other[1] - one[1]).map(([code, value]) => `${code} ${names[code]} ${value.toFixed(2)}`);
  return t("Action units: {units}", { units: said.join(", ") || t("none is active") });
}

/**
 * Return the derived measures of a face as text.
 * @param {Record<string, number>} measures
 */
function describeMeasures(measures) {
  const rounded = (/** @type {number} */ value) => (Math.round(100 * value) / 100 + 0).toFixed(2).replace("-", "\u2212");
  return Object.entries(measures).map(([name, value]) => `${nameOfMeasure(name)} ${rounded(value)}`).join(", ");
}

/**
 * The name of a derived measure in the page's language; own expressions have the name that the user gave.
 * @param {string} name
 */
function nameOfMeasure(name) {
  if (name === "valence") return t("valence");
  return name === "arousal" ? t("arousal") : name;
}

/**
 * @param {Row} row
 * @param {Ranked} [ranked]
 */
function showRow(row, [label, probability] = ["", 0]) {
  row.name.textContent = label && t(label);
  row.share.textContent = label ? percent(probability) : "";
  row.fill.style.setProperty("--share", String(probability));
  row.fill.style.setProperty("--colour", colourOf(label));
}

/**
 * Create an element with a class and a text.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, className = "", text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}
