// What the words of expressions mean, what the buttons do, and what the colours of an activation map say.

import { glyph } from "./glyphs.js";
import { t } from "./language.js";
import { CONTRADICTING, SUPPORTING } from "./overlay.js";
import { part } from "./parts.js";
import { make } from "./people.js";
import { state } from "./state.js";
import { MEANINGS } from "./words.js";

/** Say what each word of the engine's means. */
export function showMeanings() {
  const labels = state.settings?.labels ?? [];
  part("meanings").replaceChildren(...labels.flatMap((label) => {
    const [term, meaning] = [make("dt"), make("dd")];
    term.append(glyph(label));
    const text = MEANINGS[label] ? t(MEANINGS[label]) : "";
    meaning.append(make("b", "", t(label)), `. ${text}`);
    return [term, meaning];
  }));
}

/** Say what each button does that can be pressed now: the titles of buttons are seen with a mouse alone. */
export function showHelp() {
  const buttons = [...part("tools").querySelectorAll("button[title]"), ...part("views").querySelectorAll("button[title]")];
  const shown = [...new Set(buttons)].filter((button) => !(/** @type {HTMLElement} */ (button)).hidden);
  part("buttons").replaceChildren(...shown.flatMap((button) =>
    [make("dt", "", button.textContent?.trim()), make("dd", "", button.getAttribute("title") ?? "")]));
}

/** Give the legend of activation maps the colours that are drawn. */
export function colourLegend() {
  for (const [name, colour] of Object.entries({ supporting: SUPPORTING, contradicting: CONTRADICTING })) {
    part("why-words").style.setProperty(`--${name}`, `rgb(${colour.join(" ")})`);
  }
}
