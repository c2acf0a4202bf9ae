// What people can press, choose and drop, and what it does.

import { LANGUAGES, keepLanguage, t, useLanguage } from "./language.js";
import { beginStream, beginVideo, pause } from "./moving_source.js";
import { part } from "./parts.js";
import { beginPhotos, showPhoto, showPhotosAgain } from "./photo_source.js";
import { showHelp, showMeanings } from "./meanings.js";
import { make, nameUnits } from "./people.js";
import { notice } from "./problems.js";
import { people, showAgain, speaker } from "./result_view.js";
import { begin, recording } from "./source.js";
import { showCovering, snapshot } from "./stage.js";
import { state } from "./state.js";
import { float, press, resizeText, toggleCompact, toggleMore } from "./view.js";

/** @param {FileList} files */
function openDropped(files) {
  const photos = [...files].filter((file) => file.type.startsWith("image/"));
  const videoFile = [...files].find((file) => file.type.startsWith("video/") || /\.(mkv|avi|mov|ts|wmv|flv)$/i.test(file.name));
  if (photos.length) beginPhotos(photos);
  else if (videoFile) beginVideo(videoFile);
  else notice(t("This is neither a photo nor a video. Drop a file such as JPEG, PNG, WebP, MP4 or WebM."));
}

function stop() {
  begin(null);
  part("choose-screen").focus();
}

function toggleSmooth() {
  state.smoothed = !state.smoothed;
  press("smooth", state.smoothed);
  part("smooth").textContent = t(state.smoothed ? "Smoothed" : "Raw");
  showAgain();
}

function toggleMaps() {
  state.mapped = !state.mapped;
  press("why", state.mapped);
  part("why-words").hidden = !state.mapped;
  state.engine.map(state.mapped);
  showAgain();
}

/** Show the active muscles of each face, or hide them. Photos that were read without them are read again. */
function toggleUnits() {
  state.units = !state.units;
  press("units", state.units);
  nameUnits(state.units ? (state.settings?.units ?? {}) : null);
  state.engine.measureUnits(state.units);
  const missing = state.photos.some(({ result }) => result.faces.some(({ pose }) => !pose));
  if (state.units && missing) beginPhotos(state.files);
  else showAgain();
}

/** Show and announce only what lasts, or every change. */
function toggleCalm() {
  state.calm = !state.calm;
  press("calm", state.calm);
  speaker.calm = state.calm;
  showAgain();
}

/** Show the page in the language that was chosen. */
async function chooseLanguage() {
  const code = /** @type {keyof typeof LANGUAGES} */ (part("language").value);
  keepLanguage(code);
  await showLanguage(code);
}

/**
 * Show the page in a language.
 * @param {keyof typeof LANGUAGES} code
 */
export async function showLanguage(code) {
  part("language").value = code;
  await useLanguage(code);
  if (!state.engine) return;
  state.engine.describe();
  people.clear();
  showMeanings();
  showHelp();
  if (state.photos.length) showPhotosAgain();
  else showAgain();
}

/** Offer the languages. */
function listLanguages() {
  part("language").append(...Object.entries(LANGUAGES).map(([code, name]) => Object.assign(make("option", "", name), { value: code, lang: code })));
  part("language").addEventListener("change", chooseLanguage);
}

/** Hide the faces in the image, or show them. */
function toggleCovering() {
  state.covered = !state.covered;
  press("cover", state.covered);
  showCovering();
  if (state.kind === "photo" && state.photos.length) showPhoto(state.place);
}

/** Listen to everything that people can do. */
export function listen() {
  const actions = {
    "choose-screen": () => beginStream("screen"), "choose-camera": () => beginStream("camera"),
    "choose-photo": () => part("photo-file").click(), "choose-video": () => part("video-file").click(),
    stop, pause, snapshot, record: () => part("video").videoWidth && recording.toggle(state.engine.hello, state.name),
    cover: toggleCovering, smooth: toggleSmooth, why: toggleMaps, units: toggleUnits, calm: toggleCalm, float,
    "more-tools": toggleMore,
    compact: () => toggleCompact(), smaller: () => resizeText(-1), larger: () => resizeText(1),
    previous: () => showPhoto(state.place - 1), next: () => showPhoto(state.place + 1),
  };
  for (const [id, action] of Object.entries(actions)) part(id).addEventListener("click", action);
  const [photos, videoFile] = [part("photo-file"), part("video-file")];
  photos.addEventListener("change", () => photos.files?.length && beginPhotos([...photos.files]));
  videoFile.addEventListener("change", () => videoFile.files?.length && beginVideo(videoFile.files[0]));
  listLanguages();
  listenToDrops();
  part("help").addEventListener("toggle", showHelp);
  addEventListener("resize", showAgain);
  for (const id of ["picture", "overlay"]) part(id).addEventListener("contextrestored", redraw);
}

/** Draw the image and what is over it again: the browser had taken their canvases away, and they are empty now. */
function redraw() {
  if (state.photos.length) showPhoto(state.place);
  else showAgain();
}

/** Take files that are dropped anywhere on the page. */
function listenToDrops() {
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
}
