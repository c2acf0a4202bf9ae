// Photos: they are read together, shown one at a time, and saved as a table.

import { coverFaces } from "./cover.js";
import { t } from "./language.js";
import { showOverview } from "./overview.js";
import { contextOf, part } from "./parts.js";
import { notice } from "./problems.js";
import { filesOf, linksTo } from "./record.js";
import { namedFaces, people, show, speaker } from "./result_view.js";
import { begin } from "./source.js";
import { describeFaces } from "./speech.js";
import { state } from "./state.js";

/**
 * Read photos, and show the first.
 * @param {File[]} files
 */
export async function beginPhotos(files) {
  begin("photo");
  state.files = files;
  part("waiting").textContent = t("Analyzing");
  const asked = state.engine;
  const answer = await asked.readPhotos(files, { maps: state.canMap, units: state.units }).catch((error) => /** @type {Error} */ (error));
  if (state.kind !== "photo" || state.files !== files || state.engine !== asked) return; // something else was chosen meanwhile
  if (answer instanceof Error) {
    begin(null);
    notice(answer.message);
    return;
  }
  const { results, failures, info } = answer;
  const failed = new Set(failures.map((failure) => failure.source));
  const analyzed = [...files].filter((file) => !failed.has(file.name));
  state.photos = results.map((result, place) => ({ result, file: analyzed[place] }));
  const problems = failures.map((failure) => `${failure.source}: ${failure.message}`).join(" ");
  if (!results.length) begin(null);
  if (failures.length) notice(problems);
  if (!results.length) return;
  state.info = info;
  offerTable();
  await showPhoto(0);
}

/** Show the photos again, after a display option has changed. */
export function showPhotosAgain() {
  offerTable();
  showPhoto(state.place);
}

/** Offer the results of all photos as files, with the columns of `facemood analyze`. */
function offerTable() {
  const { settings, info } = state;
  if (!settings) return;
  const results = state.photos.map(({ result }) => result);
  const greeting = { columns: settings.photo_columns, schema: settings.schema, info };
  const faces = results.reduce((sum, { faces: some }) => sum + some.length, 0);
  part("photo-words").textContent = t("Photos: {photos}, faces: {faces}", { photos: results.length, faces });
  part("photo-links").replaceChildren(...linksTo(filesOf(greeting, results), "facemood"));
  part("photo-table").hidden = false;
}

/**
 * Show one of the photos that were read.
 * @param {number} place
 */
export async function showPhoto(place) {
  const { result, file } = state.photos[place];
  Object.assign(state, { place, name: file.name });
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const canvas = part("picture");
  [canvas.width, canvas.height] = result.size;
  contextOf(canvas).drawImage(bitmap, 0, 0, ...result.size);
  if (state.covered) coverFaces(canvas, result);
  for (const id of ["previous", "next"]) part(id).hidden = state.photos.length < 2;
  part("previous").disabled = place === 0;
  part("next").disabled = place === state.photos.length - 1;
  people.clear();
  show(result, null);
  showOverview(state.views.map(({ label }) => label));
  speaker.say(describeFaces(namedFaces()) || t("No face was found."));
}
