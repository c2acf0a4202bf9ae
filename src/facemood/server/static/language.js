// The language of the page. English stands in the code; `languages/CODE.json` has each text of it in another language.

import { recall, remember } from "./memory.js";

/** The languages by their codes, each by its own name. A file of the code's name must be in `languages`. */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", fr: "Français", tr: "Türkçe", zh: "中文" };

/** @typedef {keyof typeof LANGUAGES} Language */

/** Attributes that people read or hear. */
const ATTRIBUTES = ["title", "aria-label"];

/** @type {Record<string, string>} */
let texts = {};

/**
 * What is shown at each place of the page, a text or an attribute, and its English.
 * @type {WeakMap<Text | Attr, { shown: string, english: string }>}
 */
const known = new WeakMap();

/**
 * Return a text in the page's language; in English where there is no other.
 * @param {string} text In English, with {names} for values.
 * @param {Record<string, string | number>} [values]
 */
export function t(text, values = {}) {
  const other = Object.hasOwn(texts, text) ? texts[text] : text;
  return other.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Return the language that people chose, or else the browser's, or else English. */
export function preferredLanguage() {
  const wanted = [recall("language") ?? "", ...navigator.languages].map((code) => code.split("-")[0].toLowerCase());
  return /** @type {Language} */ (wanted.find((code) => Object.hasOwn(LANGUAGES, code)) ?? "en");
}

/**
 * Show the page in a language. What the page says later is in that language too.
 * @param {Language} code
 */
export async function useLanguage(code) {
  texts = code === "en" ? {} : await loadTexts(code);
  document.documentElement.lang = code;
  translate(document.body);
}

/**
 * Remember a language that people chose.
 * @param {Language} code
 */
export function keepLanguage(code) {
  remember("language", code);
}

/**
 * @param {Language} code
 * @returns {Promise<Record<string, string>>}
 */
async function loadTexts(code) {
  const answer = await fetch(new URL(`languages/${code}.json`, import.meta.url)).catch(() => null);
  return answer?.ok ? answer.json() : {};
}

/**
 * Translate all texts of an element that stand in the page itself.
 * @param {HTMLElement} root
 */
function translate(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  /** @type {(Text | Attr)[]} */
  const places = [];
  while (walker.nextNode()) places.push(/** @type {Text} */ (walker.currentNode));
  for (const element of root.querySelectorAll(ATTRIBUTES.map((name) => `[${name}]`).join(","))) {
    places.push(...ATTRIBUTES.flatMap((name) => element.getAttributeNode(name) ?? []));
  }
  for (const place of places) show(place);
}

/**
 * Show a text or an attribute in the page's language. What was written there by the page itself has changed since, and
 * stays as it is.
 * @param {Text | Attr} place
 */
function show(place) {
  const now = place.nodeValue ?? "";
  const before = known.get(place);
  const english = before?.shown === now ? before.english : now;
  const trimmed = english.trim();
  if (!trimmed) return;
  const other = english.replace(trimmed, () => t(trimmed));
  known.set(place, { shown: other, english });
  if (other !== now) place.nodeValue = other;
}
