// The switch *Read in this tab*: another engine reads the images, and nothing is sent to the server any more.

import { TabEngine } from "../../web/page/tab_engine.js";
import { useEngine } from "./engine_choice.js";
import { part } from "./parts.js";
import { press } from "./view.js";

/** @import { PageEngine } from "./messages.js" */

/** Where the server has the engine's files, as the static site has them. */
const BASE = new URL("../../../", import.meta.url).href;

/**
 * Offer to read in this tab. The worker and the networks are loaded when they are asked for; from the press on, no image
 * goes to the server.
 * @param {PageEngine} server The engine that reads otherwise.
 */
export function offerTab(server) {
  const button = part("in-tab");
  const tab = new TabEngine(BASE);
  button.hidden = false;
  button.addEventListener("click", () => {
    const wanted = button.getAttribute("aria-pressed") !== "true";
    press("in-tab", wanted);
    useEngine(wanted ? tab : server);
  });
}
