// The page: shows the chosen source, gives its images to an engine that reads them, and shows the results.

import { listen } from "./controls.js";
import { useEngine } from "./engine_choice.js";
import { glyph } from "./glyphs.js";
import { advance } from "./moving_source.js";
import { part } from "./parts.js";
import { make } from "./people.js";
import { notice } from "./problems.js";
import { restoreView } from "./view.js";
import { MEANINGS } from "./words.js";

/** @import { PageEngine } from "./messages.js" */

/**
 * Start the page.
 * @param {PageEngine} chosen The engine that reads images.
 */
export async function startPage(chosen) {
  listen();
  new Worker(new URL("worker.js", import.meta.url)).onmessage = advance;
  restoreView();
  if (!("OffscreenCanvas" in window)) notice("This browser is too old for live analysis. Photos still work.");
  const settings = await useEngine(chosen);
  if (!settings) return undefined;
  showMeanings(settings.labels);
  document.body.dataset.ready = "1";
  return settings;
}

/**
 * Say what the words of expressions mean.
 * @param {string[]} labels
 */
function showMeanings(labels) {
  for (const label of labels) {
    const [term, meaning] = [make("dt"), make("dd")];
    term.append(glyph(label));
    meaning.append(make("b", "", label), `. ${MEANINGS[label] ?? ""}`);
    part("meanings").append(term, meaning);
  }
}
