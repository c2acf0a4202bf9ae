// How often each expression is in a photo of many people.

import { colourOf } from "./colours.js";
import { t } from "./language.js";
import { part } from "./parts.js";
import { make } from "./people.js";

/** Number of faces from which a photo has an overview: more cards than a screen shows. */
const MANY = 5;

/**
 * Count the labels of a photo's faces, the most frequent first; few faces need no overview.
 * @param {string[]} labels
 */
export function showOverview(labels) {
  part("overview").hidden = labels.length < MANY;
  if (labels.length < MANY) return;
  part("overview-title").textContent = t("{count} faces", { count: labels.length });
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const rows = [...counts].sort((one, other) => other[1] - one[1]);
  part("overview-counts").replaceChildren(...rows.flatMap(([label, count]) => {
    const [track, fill] = [make("dd", "track"), make("i")];
    fill.style.setProperty("--share", String(count / labels.length));
    fill.style.setProperty("--colour", colourOf(label));
    track.append(fill);
    return [make("dt", "", t(label)), track, make("dd", "share", String(count))];
  }));
}
