// Photos: they are read together, and shown one at a time.

import { coverFaces } from "./cover.js";
import { contextOf, part } from "./parts.js";
import { notice } from "./problems.js";
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
  part("waiting").textContent = "Analyzing";
  const asked = state.engine;
  const answer = await asked.readPhotos(files, state.canMap).catch((error) => /** @type {Error} */ (error));
  if (state.kind !== "photo" || state.files !== files || state.engine !== asked) return; // something else was chosen meanwhile
  if (answer instanceof Error) {
    begin(null);
    notice(answer.message);
    return;
  }
  const { results, failures } = answer;
  const failed = new Set(failures.map((failure) => failure.source));
  const analyzed = [...files].filter((file) => !failed.has(file.name));
  state.photos = results.map((result, place) => ({ result, file: analyzed[place] }));
  const problems = failures.map((failure) => `${failure.source}: ${failure.message}`).join(" ");
  if (!results.length) begin(null);
  if (failures.length) notice(problems);
  if (!results.length) return;
  await showPhoto(0);
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
  speaker.say(describeFaces(namedFaces()) || "No face was found.");
}
