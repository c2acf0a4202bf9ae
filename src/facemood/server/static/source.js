// The source that is shown: what is closed and hidden before another one opens.

import { part } from "./parts.js";
import { notice } from "./problems.js";
import { RecordingBox } from "./recording_box.js";
import { forgetPeople, speaker } from "./result_view.js";
import { clearOverlay, compose, showCovering } from "./stage.js";
import { state } from "./state.js";
import { press } from "./view.js";

/** @import { Kind } from "./state.js" */

export const recording = new RecordingBox(compose, (text) => speaker.say(text));

/**
 * Close the current source and show another one.
 * @param {Kind | null} kind Null for the start page.
 */
export function begin(kind, name = "") {
  const video = part("video");
  recording.end();
  state.engine.close();
  state.stream?.getTracks().forEach((track) => track.stop());
  if (video.src) URL.revokeObjectURL(video.src);
  Object.assign(state, { kind, name, stream: null, photos: [], files: [], result: null, views: [], paused: false, busy: false, moment: null });
  video.srcObject = null;
  video.removeAttribute("src");
  video.controls = kind === "video";
  forgetPeople();
  clearOverlay();
  state.engine.offerVideo(null);
  notice("");
  const moving = kind !== "photo" && kind !== null;
  part("start").hidden = kind !== null;
  part("live").hidden = kind === null;
  for (const id of ["pause", "record", "smooth", "calm"]) part(id).hidden = !moving;
  for (const id of ["recording", "nobody", "previous", "next", "photo-table", "overview"]) part(id).hidden = true;
  video.hidden = !moving;
  showCovering();
  part("waiting").hidden = false;
  part("waiting").textContent = state.engine.waiting;
  part("stage").classList.toggle("mirrored", kind === "camera");
  part("pace").textContent = "";
  press("pause", false);
  if (moving) state.engine.open(kind);
}
