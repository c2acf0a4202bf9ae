// The page: what is chosen is shown, read picture by picture, and told.

import { setColours } from "./colours.js";
import { VideoReader } from "./videos.js";
import { glyph } from "./glyphs.js";
import { Link } from "./link.js";
import { drawFaces, drawMaps } from "./overlay.js";
import { part, penOf } from "./parts.js";
import { People, make, viewOf } from "./people.js";
import { problemOf } from "./problems.js";
import { Recording, download } from "./record.js";
import { openStream, takeFrame } from "./sources.js";
import { Speaker } from "./speech.js";
import { float, press, resizeText, restoreView, toggleCompact } from "./view.js";
import { MEANINGS, clock } from "./words.js";

/**
 * @import { Message, Result, Results, Settings } from "./messages.js"
 * @import { View } from "./people.js"
 * @import { Moving } from "./sources.js"
 * @typedef {Moving | "photo"} Kind
 */

const FASTEST = 66;
const TOLD = 500;
const STILL = 3000;

const video = part("video");
const overlay = part("overlay");
const worker = new Worker("/static/worker.js");

/**
 * @typedef {object} State
 * @property {Kind | null} kind
 * @property {string} name
 * @property {MediaStream | null} stream
 * @property {{ result: Result, file: File }[]} pictures
 * @property {number} place
 * @property {Result | null} result
 * @property {number | null} time
 * @property {View[]} views
 * @property {boolean} smoothed
 * @property {boolean} mapped
 * @property {boolean} canMap
 * @property {boolean} paused
 * @property {Recording | null} recording
 * @property {number} due
 * @property {boolean} busy
 * @property {number} told
 * @property {number | null} moment
 */

/** @type {State} */
const state = {
  kind: null, name: "", stream: null, pictures: [], place: 0, result: null, time: 0, views: [], smoothed: true,
  mapped: false, canMap: false, paused: false, recording: null, due: 0, busy: false, told: 0, moment: null,
};
const people = new People(part("people"));
const speaker = new Speaker(part("spoken"));
const link = new Link(hear, (there) => notice(there ? "" : "The connection to facemood was lost. Trying again."));
const videos = new VideoReader({
  box: part("whole-video"), words: part("video-words"), progress: part("video-progress"), read: part("video-read"),
  cancel: part("video-cancel"), results: part("video-results"),
});

/** @param {string} text */
function notice(text) {
  part("notice").textContent = text;
  part("notice").hidden = !text;
}

/**
 * Leave what is shown, and show something else.
 * @param {Kind | null} kind Null for the beginning.
 */
function begin(kind, name = "") {
  endRecording();
  link.close();
  state.stream?.getTracks().forEach((track) => track.stop());
  if (video.src) URL.revokeObjectURL(video.src);
  Object.assign(state, { kind, name, stream: null, pictures: [], result: null, views: [], paused: false, busy: false, moment: null });
  video.srcObject = null;
  video.removeAttribute("src");
  video.controls = kind === "video";
  people.clear();
  penOf(overlay).clearRect(0, 0, overlay.width, overlay.height);
  videos.offer(null);
  notice("");
  const moving = kind !== "photo" && kind !== null;
  part("start").hidden = kind !== null;
  part("live").hidden = kind === null;
  for (const id of ["pause", "record", "smooth"]) part(id).hidden = !moving;
  for (const id of ["recording", "nobody", "previous", "next"]) part(id).hidden = true;
  part("picture").hidden = moving;
  video.hidden = !moving;
  part("waiting").hidden = false;
  part("waiting").textContent = "Waiting for the first picture";
  part("stage").classList.toggle("mirrored", kind === "camera");
  part("pace").textContent = "";
  press("pause", false);
  if (moving) link.open();
}

/** @param {"camera" | "screen"} kind */
async function beginStream(kind) {
  const stream = await openStream(kind).catch((error) => notice(error.message));
  if (!stream) return;
  begin(kind, kind);
  state.stream = stream;
  stream.getVideoTracks()[0].addEventListener("ended", () => {
    if (state.stream !== stream) return;
    begin(null);
    notice(kind === "camera" ? "The camera was taken away." : "The sharing has ended.");
  });
  video.srcObject = stream;
  setTimeout(() => sayStill(stream), STILL);
  part("stop").focus();
  try {
    await video.play();
    speaker.say(kind === "camera" ? "The camera is read." : "The shared screen is read.");
  } catch (error) {
    if (state.stream === stream) notice(/** @type {Error} */ (error).message); // closed before its first picture is no trouble
  }
}

/**
 * Browsers send a shared tab when something in it changes; what stands still may never come.
 * @param {MediaStream} stream
 */
function sayStill(stream) {
  if (state.stream !== stream || state.kind !== "screen" || video.readyState >= 2) return;
  part("waiting").textContent = "No picture has come yet. Where nothing moves, scroll there once, or choose it again.";
}

/** @param {File} file */
async function beginVideo(file) {
  begin("video", file.name);
  videos.offer(file);
  video.src = URL.createObjectURL(file);
  video.onerror = () => {
    if (state.kind !== "video" || !video.src) return;
    part("waiting").textContent = "This browser cannot show the video. facemood can still read all of it.";
  };
  await video.play().catch(() => {});
}

/** @param {File[]} files */
async function beginPhotos(files) {
  begin("photo");
  const form = new FormData();
  for (const file of files) form.append("image", file, file.name);
  part("waiting").textContent = "Reading";
  const answer = await fetch(`/v1/analyze?maps=${state.canMap}`, { method: "POST", body: form }).catch(() => null);
  if (state.kind !== "photo") return;
  if (!answer?.ok) {
    begin(null);
    notice(answer ? await problemOf(answer) : "The photo could not be sent; it may be too large, or the server has gone.");
    return;
  }
  const { results, failures } = /** @type {Results} */ (await answer.json());
  const bad = new Set(failures.map((failure) => failure.source));
  const good = [...files].filter((file) => !bad.has(file.name));
  state.pictures = results.map((result, place) => ({ result, file: good[place] }));
  if (failures.length) notice(failures.map((failure) => `${failure.source}: ${failure.message}`).join(" "));
  await showPicture(0);
}

/** @param {number} place */
async function showPicture(place) {
  const { result, file } = state.pictures[place];
  Object.assign(state, { place, name: file.name });
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const canvas = part("picture");
  [canvas.width, canvas.height] = result.size;
  penOf(canvas).drawImage(bitmap, 0, 0, ...result.size);
  for (const id of ["previous", "next"]) part(id).hidden = state.pictures.length < 2;
  part("previous").disabled = place === 0;
  part("next").disabled = place === state.pictures.length - 1;
  people.clear();
  show(result, null);
  speaker.say(state.views.map((view) => view.label).join(", ") || "No face was found.");
}

/** Send the newest picture, whenever the last one is answered. */
async function pump() {
  const { kind } = state;
  const ready = link.free && !state.paused && !state.busy && video.readyState >= 2 && video.videoWidth;
  const now = performance.now();
  if (!ready || kind === null || kind === "photo" || now < state.due || (kind === "video" && video.currentTime === state.moment)) return;
  Object.assign(state, { busy: true, due: now + FASTEST, moment: video.currentTime });
  await takeFrame(video, kind, worker).catch(() => (state.busy = false)); // a video may have no picture yet
}

/**
 * Hear the worker: a picture that is ready, or null for each beat.
 * @param {MessageEvent<ArrayBuffer | null>} event
 */
function advance({ data: picture }) {
  if (picture) {
    state.busy = false;
    if (link.free && !state.paused) link.send(picture);
  }
  pump();
  if (performance.now() - state.told > TOLD) tellPace();
}

/** @param {Message} message */
function hear(message) {
  if (message.type === "problem") notice(message.problem.detail);
  if (message.type !== "result" || !state.kind || state.paused) return;
  const time = performance.now() / 1000;
  state.recording?.add(message, time);
  show(message, time);
  pump();
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
  if (time !== null) speaker.hear(state.views.map((view) => ({ name: `Person ${view.key}`, label: view.label })));
  fitOverlay();
  paint(overlay);
}

/** Show what is read already in another way. */
function showAgain() {
  if (state.result) show(state.result, state.kind === "photo" ? null : state.time);
}

/** @param {boolean} empty */
function showNobody(empty) {
  /** @type {Partial<Record<Kind, string>>} */
  const hints = {
    camera: "Turn to the camera. Light from the front helps.",
    screen: "Make the faces larger in the call, or choose its window again.",
  };
  part("nobody").hidden = !empty;
  const hint = (state.kind && hints[state.kind]) ?? "Faces in profile, covered or very small ones are not found.";
  part("nobody").replaceChildren(make("b", "", "No face in the picture"), hint);
}

function fitOverlay() {
  const ratio = window.devicePixelRatio || 1;
  const size = [overlay.clientWidth, overlay.clientHeight].map((side) => Math.round(side * ratio));
  if (size[0] && (overlay.width !== size[0] || overlay.height !== size[1])) [overlay.width, overlay.height] = size;
  penOf(overlay).clearRect(0, 0, overlay.width, overlay.height);
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
 * Draw picture and overlay together, as they are and not as a mirror shows them.
 * @param {HTMLCanvasElement} canvas
 */
function compose(canvas) {
  const photo = part("picture");
  const [width, height] = state.kind === "photo" ? [photo.width, photo.height] : [video.videoWidth, video.videoHeight];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  penOf(canvas).drawImage(state.kind === "photo" ? photo : video, 0, 0, width, height);
  paint(canvas, false);
}

function snapshot() {
  if (!state.result) return;
  const canvas = document.createElement("canvas");
  compose(canvas);
  canvas.toBlob((blob) => blob && download(`facemood-${stamp()}.png`, blob), "image/png");
}

function toggleRecording() {
  if (state.recording) return endRecording();
  if (!link.hello || !video.videoWidth) return undefined;
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
  state.recording = new Recording(link.hello, state.name, canvas, compose);
  press("record", true);
  part("recording").hidden = false;
  part("downloads").replaceChildren();
  speaker.say("Recording");
  return undefined;
}

async function endRecording() {
  const { recording } = state;
  if (!recording) return;
  state.recording = null;
  press("record", false);
  nameRecord("Record");
  const files = await recording.stop();
  const begun = stamp();
  const links = Object.entries(files).map(([name, blob]) => {
    const target = { href: URL.createObjectURL(blob), download: `facemood-${begun}-${name}` };
    /** @type {Record<string, string>} */
    const words = { "table.csv": "Table (CSV)", "results.json": "JSON" };
    return Object.assign(make("a", "tool small", words[name] ?? "Annotated video"), target);
  });
  part("recording").hidden = false;
  part("recorded").textContent = `${clock(recording.seconds)} with ${recording.results.length} readings. It is in this page alone until you save it.`;
  part("downloads").replaceChildren(...links);
  speaker.say("The recording can be downloaded.");
}

/**
 * Write on the button that records.
 * @param {string} text
 */
function nameRecord(text) {
  const words = part("record").lastElementChild;
  if (words) words.textContent = text;
}

function tellPace() {
  state.told = performance.now();
  const { rate, delay } = link.pace;
  if (state.kind && state.kind !== "photo") {
    part("pace").textContent = rate ? `${rate.toFixed(0)} readings/s · ${delay.toFixed(0)} ms` : "";
  }
  if (state.recording) {
    nameRecord(`Stop ${clock(state.recording.seconds)}`);
    part("recorded").textContent = `${state.recording.results.length} readings`;
  }
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
  link.map(state.mapped);
  showAgain();
}

/** @param {FileList} files */
function dropped(files) {
  const photos = [...files].filter((file) => file.type.startsWith("image/"));
  const moving = [...files].find((file) => file.type.startsWith("video/") || /\.(mkv|avi|mov|ts|wmv|flv)$/i.test(file.name));
  if (photos.length) beginPhotos(photos);
  else if (moving) beginVideo(moving);
  else notice("This is neither a photo nor a video. Drop JPEG, PNG, WebP, MP4, WebM or the like.");
}

function stamp() {
  return new Date().toISOString().slice(0, 19).replaceAll(":", "-");
}

function listen() {
  const actions = {
    "choose-screen": () => beginStream("screen"), "choose-camera": () => beginStream("camera"),
    "choose-photo": () => part("photo-file").click(), "choose-video": () => part("video-file").click(),
    stop, pause, snapshot, record: toggleRecording, smooth: toggleSmooth, why: toggleMaps, float,
    compact: () => toggleCompact(), smaller: () => resizeText(-1), larger: () => resizeText(1),
    previous: () => showPicture(state.place - 1), next: () => showPicture(state.place + 1),
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
    if (event.dataTransfer) dropped(event.dataTransfer.files);
  });
  addEventListener("resize", showAgain);
}

async function prepare() {
  listen();
  worker.onmessage = advance;
  part("place").textContent = /^(localhost|127\.|\[::1\])/.test(location.hostname) ? "this machine" : location.hostname;
  restoreView();
  if (!("OffscreenCanvas" in window)) notice("This browser is too old to read live pictures; photos can be read.");
  const answer = await fetch("/v1/settings");
  if (!answer.ok) return notice(await problemOf(answer));
  /** @type {Settings} */
  const settings = await answer.json();
  setColours(settings.colours);
  state.canMap = settings.maps;
  part("why").hidden = !settings.maps;
  part("version").textContent = `facemood ${settings.version}`;
  for (const label of settings.labels) {
    const [term, meaning] = [make("dt"), make("dd")];
    term.append(glyph(label));
    meaning.append(make("b", "", label), `. ${MEANINGS[label] ?? ""}`);
    part("meanings").append(term, meaning);
  }
  document.body.dataset.ready = "1";
  return undefined;
}

prepare();
