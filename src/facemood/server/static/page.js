// The page: shows the chosen source, gives its images to an engine that reads them, and shows the results.

import { setColours } from "./colours.js";
import { CoveredView, coverFaces } from "./cover.js";
import { glyph } from "./glyphs.js";
import { drawFaces, drawMaps } from "./overlay.js";
import { contextOf, part } from "./parts.js";
import { People, make, nameOf, viewOf } from "./people.js";
import { download, stamp } from "./record.js";
import { RecordingBox } from "./recording_box.js";
import { openStream, sizeOf, watchTrack } from "./sources.js";
import { Speaker, describeFaces } from "./speech.js";
import { float, press, resizeText, restoreView, toggleCompact } from "./view.js";
import { MEANINGS } from "./words.js";

/**
 * @import { Message, PageEngine, Result, Settings, Shot } from "./messages.js"
 * @import { View } from "./people.js"
 * @import { Moving } from "./sources.js"
 * @typedef {Moving | "photo"} Kind
 */

/** Shortest time between two images that are read, in milliseconds: 15 per second. */
const SEND_INTERVAL = 66;

/** Milliseconds between two updates of the displayed rate. */
const PACE_INTERVAL = 500;

/** Milliseconds without an image after which a shared screen needs a hint. */
const HINT_AFTER = 3000;

const video = part("video");
const overlay = part("overlay");

/** @type {PageEngine} */
let engine;

/**
 * @typedef {object} State
 * @property {Kind | null} kind
 * @property {string} name
 * @property {MediaStream | null} stream
 * @property {{ result: Result, file: File }[]} photos
 * @property {number} place Of the shown photo in `photos`.
 * @property {File[]} files The chosen photos, or the video.
 * @property {Result | null} result
 * @property {number | null} time
 * @property {View[]} views
 * @property {boolean} smoothed
 * @property {boolean} mapped
 * @property {boolean} canMap
 * @property {boolean} covered Whether faces are hidden.
 * @property {boolean} paused
 * @property {number} due When the next image may be taken, in milliseconds.
 * @property {boolean} busy Whether an image is being taken.
 * @property {number} paced When the displayed rate was updated, in milliseconds.
 * @property {number | null} moment Of the video's last image, in seconds.
 */

/** @type {State} */
const state = {
  kind: null, name: "", stream: null, photos: [], place: 0, files: [], result: null, time: 0, views: [], smoothed: true,
  mapped: false, canMap: false, covered: false, paused: false, due: 0, busy: false, paced: 0, moment: null,
};
const people = new People(part("people"));
const speaker = new Speaker(part("spoken"));
const recording = new RecordingBox(compose, (text) => speaker.say(text));
const coveredView = new CoveredView(part("picture"));

/** @param {string} text */
function notice(text) {
  part("notice").textContent = text;
  part("notice").hidden = !text;
}

/**
 * Close the current source and show another one.
 * @param {Kind | null} kind Null for the start page.
 */
function begin(kind, name = "") {
  recording.end();
  engine.close();
  state.stream?.getTracks().forEach((track) => track.stop());
  if (video.src) URL.revokeObjectURL(video.src);
  Object.assign(state, { kind, name, stream: null, photos: [], files: [], result: null, views: [], paused: false, busy: false, moment: null });
  video.srcObject = null;
  video.removeAttribute("src");
  video.controls = kind === "video";
  people.clear();
  contextOf(overlay).clearRect(0, 0, overlay.width, overlay.height);
  engine.offerVideo(null);
  notice("");
  const moving = kind !== "photo" && kind !== null;
  part("start").hidden = kind !== null;
  part("live").hidden = kind === null;
  for (const id of ["pause", "record", "smooth"]) part(id).hidden = !moving;
  for (const id of ["recording", "nobody", "previous", "next"]) part(id).hidden = true;
  video.hidden = !moving;
  showCovering();
  part("waiting").hidden = false;
  part("waiting").textContent = engine.waiting;
  part("stage").classList.toggle("mirrored", kind === "camera");
  part("pace").textContent = "";
  press("pause", false);
  if (moving) engine.open(kind);
}

/** @param {"camera" | "screen"} kind */
async function beginStream(kind) {
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
    speaker.say(kind === "camera" ? "Analyzing the camera." : "Analyzing the shared screen.");
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
  part("waiting").textContent = `No image has arrived yet. ${state.kind === "screen"
    ? "If nothing moves there, scroll once, or share it again." : "Close other programs that use the camera, or choose it again."}`;
}

/** @param {File} file */
async function beginVideo(file) {
  begin("video", file.name);
  state.files = [file];
  engine.offerVideo(file);
  video.src = URL.createObjectURL(file);
  video.onerror = () => {
    if (state.kind !== "video" || !video.src) return;
    part("waiting").textContent = engine.unplayable;
  };
  await video.play().catch(() => {});
}

/** @param {File[]} files */
async function beginPhotos(files) {
  begin("photo");
  state.files = files;
  part("waiting").textContent = "Analyzing";
  const asked = engine;
  const answer = await asked.readPhotos(files, state.canMap).catch((error) => /** @type {Error} */ (error));
  if (state.kind !== "photo" || state.files !== files || engine !== asked) return; // something else was chosen meanwhile
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

/** @param {number} place */
async function showPhoto(place) {
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

/** Let the engine take the newest image, if the last result has arrived. */
async function requestFrame() {
  const { kind } = state;
  const ready = engine.free && !state.paused && !state.busy && video.readyState >= 2 && video.videoWidth;
  const now = performance.now();
  if (!ready || kind === null || kind === "photo" || now < state.due || (kind === "video" && video.currentTime === state.moment)) return;
  Object.assign(state, { busy: true, due: now + SEND_INTERVAL, moment: video.currentTime });
  await engine.take(shotOf(kind)).catch(() => null); // a video may have no image yet
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
function advance() {
  requestFrame();
  if (performance.now() - state.paced > PACE_INTERVAL) showPace();
}

/** @param {Message} message */
function receive(message) {
  if (message.type === "problem") notice(message.problem.detail);
  if (message.type !== "result" || !state.kind || state.paused) return;
  const time = performance.now() / 1000;
  recording.add(message, time);
  if (state.covered) coveredView.show(message);
  show(message, time);
  requestFrame();
}

/**
 * @param {Result} result
 * @param {number | null} time In seconds, null for a photo.
 */
function show(result, time) {
  Object.assign(state, { result, time });
  part("waiting").hidden = true;
  part("stage").style.setProperty("--ratio", String(result.size[0] / result.size[1]));
  state.views = result.faces.map((face, number) => viewOf(face, number, state.smoothed));
  people.show(state.views, time);
  showNobody(result.faces.length === 0);
  if (time !== null) speaker.update(namedFaces());
  fitOverlay();
  paint(overlay);
}

/** The name and label of each face. */
function namedFaces() {
  return state.views.map((view) => ({ name: nameOf(view.key, state.kind !== "photo"), label: view.label }));
}

/** Show the current result again, after a display option has changed. */
function showAgain() {
  if (state.result) show(state.result, state.kind === "photo" ? null : state.time);
}

/** @param {boolean} empty */
function showNobody(empty) {
  /** @type {Partial<Record<Kind, string>>} */
  const hints = {
    camera: "Look at the camera. Light from the front helps.",
    screen: "Make the faces in the call larger, or share its window again.",
  };
  part("nobody").hidden = !empty;
  const hint = (state.kind && hints[state.kind]) ?? "Faces in profile, covered faces and very small faces are not found.";
  part("nobody").replaceChildren(make("b", "", "No face in the image"), hint);
}

function fitOverlay() {
  const ratio = window.devicePixelRatio || 1;
  const size = [overlay.clientWidth, overlay.clientHeight].map((side) => Math.round(side * ratio));
  if (size[0] && (overlay.width !== size[0] || overlay.height !== size[1])) [overlay.width, overlay.height] = size;
  contextOf(overlay).clearRect(0, 0, overlay.width, overlay.height);
}

/** @param {HTMLCanvasElement} canvas */
function paint(canvas, mirrored = state.kind === "camera") {
  if (!state.result) return;
  const several = state.views.length > 1;
  const faces = state.views.map((view) => ({ ...view, name: several ? String(view.key) : "" }));
  if (state.mapped) drawMaps(canvas, faces, state.result.size[0], { mirrored });
  drawFaces(canvas, faces, state.result.size[0], { mirrored });
}

/**
 * Draw image and overlay together, not mirrored.
 * @param {HTMLCanvasElement} canvas
 */
function compose(canvas) {
  const still = state.kind === "photo" || state.covered;
  const picture = part("picture");
  const [width, height] = still ? [picture.width, picture.height] : [video.videoWidth, video.videoHeight];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  contextOf(canvas).drawImage(still ? picture : video, 0, 0, width, height);
  paint(canvas, false);
}

function snapshot() {
  if (!state.result) return;
  const canvas = document.createElement("canvas");
  compose(canvas);
  canvas.toBlob((blob) => blob && download(`facemood-${stamp()}.png`, blob), "image/png");
}

function showPace() {
  state.paced = performance.now();
  const { rate, delay } = engine.pace;
  if (state.kind && state.kind !== "photo") {
    part("pace").textContent = rate ? `${rate.toFixed(0)} images/s · ${delay.toFixed(0)} ms` : "";
  }
  recording.update();
}

function pause() {
  state.paused = !state.paused;
  press("pause", state.paused);
  if (state.paused) video.pause();
  else video.play().catch(() => {});
}

function stop() {
  begin(null);
  part("choose-screen").focus();
}

function toggleSmooth() {
  state.smoothed = !state.smoothed;
  press("smooth", state.smoothed);
  part("smooth").textContent = state.smoothed ? "Smoothed" : "Raw";
  showAgain();
}

function toggleMaps() {
  state.mapped = !state.mapped;
  press("why", state.mapped);
  part("why-words").hidden = !state.mapped;
  engine.map(state.mapped);
  showAgain();
}

/** Hide the faces in the image, or show them. */
function toggleCovering() {
  state.covered = !state.covered;
  press("cover", state.covered);
  showCovering();
  if (state.kind === "photo" && state.photos.length) showPhoto(state.place);
}

function showCovering() {
  const moving = state.kind !== "photo";
  part("stage").classList.toggle("covered", state.covered && moving);
  part("picture").hidden = moving && !state.covered;
  if (moving) coveredView.clear();
}

/** @param {FileList} files */
function openDropped(files) {
  const photos = [...files].filter((file) => file.type.startsWith("image/"));
  const videoFile = [...files].find((file) => file.type.startsWith("video/") || /\.(mkv|avi|mov|ts|wmv|flv)$/i.test(file.name));
  if (photos.length) beginPhotos(photos);
  else if (videoFile) beginVideo(videoFile);
  else notice("This is neither a photo nor a video. Drop a file such as JPEG, PNG, WebP, MP4 or WebM.");
}

function listen() {
  const actions = {
    "choose-screen": () => beginStream("screen"), "choose-camera": () => beginStream("camera"),
    "choose-photo": () => part("photo-file").click(), "choose-video": () => part("video-file").click(),
    stop, pause, snapshot, record: () => video.videoWidth && recording.toggle(engine.hello, state.name),
    cover: toggleCovering, smooth: toggleSmooth, why: toggleMaps, float,
    compact: () => toggleCompact(), smaller: () => resizeText(-1), larger: () => resizeText(1),
    previous: () => showPhoto(state.place - 1), next: () => showPhoto(state.place + 1),
  };
  for (const [id, action] of Object.entries(actions)) part(id).addEventListener("click", action);
  const [photos, videoFile] = [part("photo-file"), part("video-file")];
  photos.addEventListener("change", () => photos.files?.length && beginPhotos([...photos.files]));
  videoFile.addEventListener("change", () => videoFile.files?.length && beginVideo(videoFile.files[0]));
  addEventListener("dragover", (event) => {
    event.preventDefault();
    part("drop").hidden = false;
  });
  addEventListener("dragleave", (event) => event.relatedTarget || (part("drop").hidden = true));
  addEventListener("drop", (event) => {
    event.preventDefault();
    part("drop").hidden = true;
    if (event.dataTransfer) openDropped(event.dataTransfer.files);
  });
  addEventListener("resize", showAgain);
}

/**
 * Let an engine read the images from now on. What is open is read again, or goes on.
 * @param {PageEngine} chosen
 * @returns {Promise<Settings | undefined>} What the page must know; undefined if the engine cannot tell.
 */
export async function useEngine(chosen) {
  const { files } = state; // each source has its own list
  if (engine) leaveEngine();
  engine = Object.assign(chosen, {
    onMessage: receive,
    onConnection: (/** @type {boolean} */ connected) => notice(connected ? "" : "The connection to facemood was lost. Trying again."),
  });
  notice("");
  engine.describe();
  const settings = await engine.settings().catch((error) => notice(error.message));
  if (!settings || engine !== chosen) return undefined;
  setColours(settings.colours);
  state.canMap = settings.maps;
  part("why").hidden = !settings.maps;
  part("version").textContent = `facemood ${settings.version}`;
  if (state.files === files) goOn(); // what was chosen meanwhile has begun with this engine
  return settings;
}

/** End what the engine does; it is heard no more. */
function leaveEngine() {
  recording.end();
  engine.close();
  engine.offerVideo(null);
  Object.assign(engine, { onMessage: () => {}, onConnection: () => {} });
  Object.assign(state, { result: null, views: [], busy: false });
  people.clear();
}

/** Give what is open to a new engine. */
function goOn() {
  const { kind, files } = state;
  if (kind === "photo" && files.length) beginPhotos(files);
  if (kind === null || kind === "photo") return;
  part("waiting").hidden = false;
  part("waiting").textContent = engine.waiting;
  engine.open(kind);
  engine.map(state.mapped);
  if (kind === "video") engine.offerVideo(files[0]);
}

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
  for (const label of settings.labels) {
    const [term, meaning] = [make("dt"), make("dd")];
    term.append(glyph(label));
    meaning.append(make("b", "", label), `. ${MEANINGS[label] ?? ""}`);
    part("meanings").append(term, meaning);
  }
  document.body.dataset.ready = "1";
  return settings;
}
