// Sources of many images: camera, shared screen, video. The newest image is read once the last result has arrived.

import { t } from "./language.js";
import { part } from "./parts.js";
import { notice } from "./problems.js";
import { show, speaker } from "./result_view.js";
import { begin, recording } from "./source.js";
import { openStream, sizeOf, watchTrack } from "./sources.js";
import { coveredView } from "./stage.js";
import { state } from "./state.js";
import { press } from "./view.js";

/**
 * @import { Message, Shot } from "./messages.js"
 * @import { Moving } from "./sources.js"
 */

/** Shortest time between two images that are read, in milliseconds: 15 per second. */
const SEND_INTERVAL = 66;

/** Milliseconds between two updates of the displayed rate. */
const PACE_INTERVAL = 500;

/** Milliseconds without an image after which a shared screen needs a hint. */
const HINT_AFTER = 3000;

const video = part("video");

/** Why the last image was not read, if it was not. */
let told = "";

/**
 * Show the camera or a shared screen.
 * @param {"camera" | "screen"} kind
 */
export async function beginStream(kind) {
  const stream = await openStream(kind).catch((error) => notice(error.message));
  if (!stream) return;
  begin(kind, kind);
  state.stream = stream;
  watchTrack(stream, kind, (text, ended) => {
    if (state.stream !== stream) return;
    if (ended) begin(null);
    notice(text);
  });
  video.srcObject = stream;
  setTimeout(() => hintAtStillImage(stream), HINT_AFTER);
  part("stop").focus();
  try {
    await video.play();
    speaker.say(t(kind === "camera" ? "Analyzing the camera." : "Analyzing the shared screen."));
  } catch (error) {
    if (state.stream === stream) notice(/** @type {Error} */ (error).message); // closing it before the first image is no error
  }
}

/**
 * Show a hint if no image arrives: browsers send one of a shared tab only when something in it changes.
 * @param {MediaStream} stream
 */
function hintAtStillImage(stream) {
  if (state.stream !== stream || video.readyState >= 2) return;
  part("waiting").textContent = t(state.kind === "screen"
    ? "No image has arrived yet. If nothing moves there, scroll once, or share it again."
    : "No image has arrived yet. Close other programs that use the camera, or choose it again.");
}

/**
 * Show a video.
 * @param {File} file
 */
export async function beginVideo(file) {
  begin("video", file.name);
  state.files = [file];
  state.engine.offerVideo(file);
  video.src = URL.createObjectURL(file);
  video.onerror = () => {
    if (state.kind !== "video" || !video.src) return;
    part("waiting").textContent = state.engine.unplayable;
  };
  await video.play().catch(() => {});
}

/** Let the engine take the newest image, if the last result has arrived. */
async function requestFrame() {
  const { kind } = state;
  const ready = state.engine.free && !state.paused && !state.busy && video.readyState >= 2 && video.videoWidth;
  const now = performance.now();
  if (!ready || kind === null || kind === "photo" || now < state.due || (kind === "video" && video.currentTime === state.moment)) return;
  Object.assign(state, { busy: true, due: now + SEND_INTERVAL, moment: video.currentTime });
  await state.engine.take(shotOf(kind)).catch(() => null); // a video may have no image yet
  state.busy = false;
}

/**
 * Return the image that is read next: that of the video, or a copy that is shown once its faces can be hidden.
 * @param {Moving} kind
 * @returns {Shot}
 */
function shotOf(kind) {
  const time = kind === "video" ? video.currentTime : undefined;
  return { source: state.covered ? coveredView.hold(video) : video, size: sizeOf(video, kind), time };
}

/** Go on after a tick of the timer. */
export function advance() {
  requestFrame();
  if (performance.now() - state.paced > PACE_INTERVAL) showPace();
}

/**
 * Take a message of the engine.
 * @param {Message} message
 */
export function receive(message) {
  if (message.type === "problem") tell(message.problem.detail);
  if (message.type !== "result" || !state.kind || state.paused) return;
  if (told && told === part("notice").textContent) tell(""); // it goes on
  const time = performance.now() / 1000;
  recording.add(message, time);
  if (state.covered) coveredView.show(message);
  show(message, time);
  requestFrame();
}

/**
 * Say why an image was not read.
 * @param {string} problem Empty when images are read again.
 */
function tell(problem) {
  told = problem;
  notice(problem);
}

function showPace() {
  state.paced = performance.now();
  const { rate, delay } = state.engine.pace;
  if (state.kind && state.kind !== "photo") {
    part("pace").textContent = rate ? t("{rate} images/s · {delay} ms", { rate: rate.toFixed(0), delay: delay.toFixed(0) }) : "";
  }
  recording.update();
}

/** Stop the image, or let it go on. */
export function pause() {
  state.paused = !state.paused;
  press("pause", state.paused);
  if (state.paused) video.pause();
  else video.play().catch(() => {});
}
