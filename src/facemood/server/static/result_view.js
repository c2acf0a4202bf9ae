// The current result: cards, boxes on the image, what is said where there is no face, what a screen reader hears.

import { Calm } from "./calm.js";
import { t } from "./language.js";
import { part } from "./parts.js";
import { People, make, nameOf, viewOf } from "./people.js";
import { Speaker } from "./speech.js";
import { drawOverlay } from "./stage.js";
import { state } from "./state.js";

/**
 * @import { Result } from "./messages.js"
 * @import { Kind } from "./state.js"
 */

export const people = new People(part("people"));
export const speaker = new Speaker(part("spoken"));

/** What people see of each face in the calm mode. */
const calm = new Calm();

/**
 * Show a result.
 * @param {Result} result
 * @param {number | null} time In seconds, null for a photo.
 */
export function show(result, time) {
  Object.assign(state, { result, time });
  part("waiting").hidden = true;
  part("stage").style.setProperty("--ratio", String(result.size[0] / result.size[1]));
  const views = result.faces.map((face, number) => viewOf(face, number, state.smoothed));
  state.views = state.calm && time !== null ? calm.keep(views, time) : views;
  people.show(state.views, time);
  showNobody(result.faces.length === 0);
  if (time !== null) speaker.update(namedFaces());
  drawOverlay();
}

/** The name and label of each face. */
export function namedFaces() {
  return state.views.map((view) => ({ name: nameOf(view.key, state.kind !== "photo"), label: view.label }));
}

/** Forget whom the page showed. */
export function forgetPeople() {
  people.clear();
  calm.clear();
}

/** Show the current result again, after a display option has changed. */
export function showAgain() {
  if (state.result) show(state.result, state.kind === "photo" ? null : state.time);
}

/** @param {boolean} empty */
function showNobody(empty) {
  /** @type {Partial<Record<Kind, string>>} */
  const hints = {
    camera: t("Look at the camera. Light from the front helps."),
    screen: t("Make the faces in the call larger, or share its window again."),
  };
  part("nobody").hidden = !empty;
  const hint = (state.kind && hints[state.kind]) ?? t("Faces in profile, covered faces and very small faces are not found.");
  part("nobody").replaceChildren(make("b", "", t("No face in the image")), hint);
}
