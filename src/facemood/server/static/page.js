// The page: shows the chosen source, gives its images to an engine that reads them, and shows the results.

import { listen, showLanguage } from "./controls.js";
import { useEngine } from "./engine_choice.js";
import { preferredLanguage, t } from "./language.js";
import { colourLegend, showMeanings } from "./meanings.js";
import { advance } from "./moving_source.js";
import { part } from "./parts.js";
import { notice } from "./problems.js";
import { restoreView } from "./view.js";

/** @import { PageEngine } from "./messages.js" */

/**
 * Start the page.
 * @param {PageEngine} chosen The engine that reads images.
 */
export async function startPage(chosen) {
  part("stalled").remove(); // it is shown after some seconds where a module of the page is missing, or may not run
  listen();
  new Worker(new URL("worker.js", import.meta.url)).onmessage = advance;
  restoreView();
  colourLegend();
  const language = showLanguage(preferredLanguage());
  const settings = await useEngine(chosen);
  await language;
  if (!("OffscreenCanvas" in window)) notice(t("This browser is too old for live analysis. Photos still work."));
  if (!settings) return undefined;
  showMeanings();
  document.body.dataset.ready = "1";
  return settings;
}
