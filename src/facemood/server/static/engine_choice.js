// Which engine reads the images: a server, or this tab.

import { setColours } from "./colours.js";
import { t } from "./language.js";
import { beginPhotos } from "./photo_source.js";
import { receive } from "./moving_source.js";
import { part } from "./parts.js";
import { notice } from "./problems.js";
import { forgetPeople } from "./result_view.js";
import { recording } from "./source.js";
import { state } from "./state.js";

/** @import { PageEngine, Settings } from "./messages.js" */

/**
 * Let an engine read the images from now on. What is open is read again, or goes on.
 * @param {PageEngine} chosen
 * @returns {Promise<Settings | undefined>} What the page must know; undefined if the engine cannot tell.
 */
export async function useEngine(chosen) {
  const { files } = state; // each source has its own list
  leaveEngine();
  state.engine = Object.assign(chosen, {
    onMessage: receive,
    onConnection: (/** @type {boolean} */ connected) => notice(connected ? "" : t("The connection to facemood was lost. Trying again.")),
  });
  notice("");
  chosen.describe();
  const settings = await chosen.settings().catch((error) => notice(error.message));
  if (!settings || state.engine !== chosen) return undefined;
  setColours(settings.colours);
  Object.assign(state, { settings, canMap: settings.maps });
  part("why").hidden = !settings.maps;
  part("version").textContent = `facemood ${settings.version}`;
  if (state.files === files) goOn(); // what was chosen meanwhile has begun with this engine
  return settings;
}

/** End what the engine does, if there is one; it is heard no more. */
function leaveEngine() {
  const { engine } = state;
  if (!engine) return;
  recording.end();
  engine.close();
  engine.offerVideo(null);
  Object.assign(engine, { onMessage: () => {}, onConnection: () => {} });
  Object.assign(state, { result: null, views: [], busy: false });
  forgetPeople();
}

/** Give what is open to a new engine. */
function goOn() {
  const { kind, files } = state;
  if (kind === "photo" && files.length) beginPhotos(files);
  if (kind === null || kind === "photo") return;
  part("waiting").hidden = false;
  part("waiting").textContent = state.engine.waiting;
  state.engine.open(kind);
  state.engine.map(state.mapped);
  state.engine.measureUnits(state.units);
  if (kind === "video") state.engine.offerVideo(files[0]);
}
