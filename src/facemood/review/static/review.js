// The page of a review: one moment after the other is labelled, and facemood's answer is shown after each label.

/**
 * @typedef {object} Given What a rater said of a moment, with facemood's answer.
 * @property {string} label
 * @property {string} labelAfter
 * @property {{label: string, confidence: number, certain: boolean | null} | null} facemood Null until all are labelled.
 * @property {string} source
 * @property {number | null} timestamp
 */

/**
 * @typedef {object} Session What a rater has to do.
 * @property {string} rater
 * @property {string[]} labels
 * @property {Record<string, string>} colours
 * @property {string} hardToTell
 * @property {string[]} moments Those that can be shown, or have a label.
 * @property {number} lost How many others there are: their photo or video is not found.
 * @property {Record<string, Given>} given
 */

const HARD_KEY = "0";
const KEYS = "123456789";

/** @type {Session | undefined} */
let session;
let place = 0;
let saving = false;
/** Counts the images that were asked for, so that one that comes late is not taken for the newest. */
let showing = 0;
/** @type {Set<string>} Moments whose image the server refused since the page was begun. */
const lost = new Set();
/** @type {Map<string, Promise<Blob>>} Images that were asked for: of this moment and of the next. */
const images = new Map();

/**
 * The element of a name.
 * @param {string} name
 */
function part(name) {
  const found = document.getElementById(name);
  if (!found) throw new Error(`the page has no part ${name}`);
  return found;
}

const face = /** @type {HTMLImageElement} */ (part("face"));
const bar = /** @type {HTMLProgressElement} */ (part("bar"));
const rater = /** @type {HTMLInputElement} */ (part("rater"));
const keys = /** @type {HTMLInputElement} */ (part("keys"));
const back = /** @type {HTMLButtonElement} */ (part("back"));
const next = /** @type {HTMLButtonElement} */ (part("next"));

/**
 * Ask the server; a refusal is thrown with its words.
 * @param {string} address
 * @param {RequestInit} [options]
 */
async function ask(address, options) {
  const answer = await fetch(address, options);
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new Error(body.detail ?? `The server answered ${answer.status}.`);
}

/**
 * Say what went wrong; an empty text removes it.
 * @param {string} text
 */
function notice(text) {
  part("notice").textContent = text;
  part("notice").hidden = !text;
}

/**
 * What went wrong, in words.
 * @param {unknown} error
 */
function words(error) {
  if (error instanceof TypeError) return "The server does not answer. Start facemood review again; what you labelled is saved.";
  return error instanceof Error ? error.message : String(error);
}

/**
 * Show one part of the page.
 * @param {"start" | "work" | "done"} name
 */
function showView(name) {
  for (const one of ["start", "work", "done"]) part(one).hidden = one !== name;
}

/**
 * Minutes and seconds.
 * @param {number} seconds
 */
function clock(seconds) {
  const tenths = Math.round(10 * seconds);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

/**
 * A probability in whole percent; it is never 0% or 100%.
 * @param {number} share
 */
function percent(share) {
  if (share >= 0.995) return ">99%";
  return share <= 0.005 ? "<1%" : `${Math.floor(100 * share + 0.5)}%`;
}

/**
 * The image of a moment.
 * @param {string} moment
 */
function imageOf(moment) {
  const known = images.get(moment) ?? ask(`moments/${moment}`).then((answer) => answer.blob());
  images.set(moment, known);
  known.catch(() => images.delete(moment));
  return known;
}

/**
 * Show or hide the face. Nobody can label a face that is not shown: a first label counts for the agreement.
 * @param {boolean} shown
 */
function show(shown) {
  face.hidden = !shown;
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("#labels button"))) {
    button.disabled = !shown;
  }
}

/** Show the image of the current moment, and ask for the next one. */
async function showImage() {
  const { moments } = /** @type {Session} */ (session);
  const [moment, following] = [moments[place], moments[place + 1]];
  for (const one of images.keys()) if (one !== moment && one !== following) images.delete(one);
  URL.revokeObjectURL(face.src);
  show(false);
  const asked = ++showing;
  try {
    const image = await imageOf(moment);
    if (asked !== showing) return;
    face.src = URL.createObjectURL(image);
    await face.decode();
    if (asked !== showing) return;
    lost.delete(moment);
    show(true);
    if (following) imageOf(following).catch(() => undefined);
  } catch (error) {
    if (asked !== showing) return;
    if (!(error instanceof TypeError)) lost.add(moment);
    notice(`${words(error)} You can skip this moment.`);
  }
}

/**
 * What facemood says of a moment, if it is told.
 * @param {Given} known
 */
function says({ label, facemood }) {
  if (!facemood) return "Saved";
  const too = facemood.label === label ? " too" : "";
  const doubt = facemood.certain === false ? ", not certain" : "";
  return `facemood says ${facemood.label}${too} (${percent(facemood.confidence)}${doubt})`;
}

/** Show what was said of the current moment, and facemood's answer if something was said. */
function showAnswer() {
  const { moments, given } = /** @type {Session} */ (session);
  const known = given[moments[place]];
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#labels button"))) {
    button.setAttribute("aria-pressed", String(known?.labelAfter === button.dataset.label));
  }
  bar.max = moments.length;
  bar.value = Object.keys(given).length;
  part("place").textContent = `${place + 1} of ${moments.length}`;
  back.disabled = place === 0;
  next.textContent = known ? "Next" : "Skip";
  next.classList.toggle("main", Boolean(known));
  part("answer").hidden = !known;
  if (!known) return;
  part("says").textContent = says(known);
  const first = known.label === known.labelAfter ? `You said ${known.label}` : `You said ${known.label} first, then ${known.labelAfter}`;
  const time = known.timestamp === null ? "" : ` at ${clock(known.timestamp)}`;
  part("where").textContent = `${first}. ${known.source}${time}`;
}

/**
 * Go to a moment; beyond the last one, to the first that has no label.
 * @param {number} number
 */
function go(number) {
  const { moments, given, lost: away } = /** @type {Session} */ (session);
  place = number;
  if (number >= moments.length) {
    place = moments.findIndex((moment) => !(moment in given) && !lost.has(moment));
    if (place < 0) {
      const left = away + moments.filter((moment) => !(moment in given)).length;
      place = 0;
      showView("done");
      notice(left ? `${left} of ${moments.length + away} moments cannot be shown, and were left out.` : "");
      part("finished").focus();
      return;
    }
  }
  notice("");
  showView("work");
  showAnswer();
  void showImage();
  scrollTo(0, 0);
  part("question").focus({ preventScroll: true });
  part("spoken").textContent = `Moment ${place + 1} of ${moments.length}`;
}

/**
 * Save a label of the current moment.
 * @param {string} label
 */
async function choose(label) {
  if (!session || saving || face.hidden) return;
  const moment = session.moments[place];
  const body = JSON.stringify({ rater: session.rater, moment, label, seen: moment in session.given });
  saving = true;
  try {
    const answer = await ask("labels", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    session.given[moment] = await answer.json();
    notice("");
    showAnswer();
    part("spoken").textContent = part("says").textContent;
    next.focus();
  } catch (error) {
    notice(`This label is not saved. ${words(error)}`);
  } finally {
    saving = false;
  }
}

/** Make the buttons of the labels, each with its key. */
function makeButtons() {
  const { labels, colours, hardToTell } = /** @type {Session} */ (session);
  const all = [...labels.map((label, number) => ({ label, key: KEYS[number] ?? "" })), { label: hardToTell, key: HARD_KEY }];
  part("labels").replaceChildren(
    ...all.map(({ label, key }) => {
      const button = document.createElement("button");
      const hint = document.createElement("kbd");
      hint.textContent = key;
      hint.setAttribute("aria-hidden", "true");
      button.type = "button";
      button.dataset.label = label;
      if (colours[label]) button.style.setProperty("--colour", colours[label]);
      button.append(hint, label);
      button.addEventListener("click", () => void choose(label));
      return button;
    }),
  );
  part("hint").textContent = `1 to ${Math.min(labels.length, KEYS.length)} and ${HARD_KEY} label, arrow keys go back and on`;
}

/**
 * Begin, or go on, with the name that was entered.
 * @param {number} [number] The moment to begin with; by default the first one without a label.
 */
async function begin(number) {
  try {
    session = await (await ask(`session?rater=${encodeURIComponent(rater.value)}`)).json();
    lost.clear();
    makeButtons();
    go(number ?? /** @type {Session} */ (session).moments.length);
  } catch (error) {
    notice(words(error));
  }
}

/**
 * Take a key as a label or a step, unless keys are turned off or belong to something else.
 * @param {KeyboardEvent} event
 */
function press(event) {
  if (!session || part("work").hidden || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "ArrowLeft" && place > 0) go(place - 1);
  if (event.key === "ArrowRight") go(place + 1);
  if (!keys.checked) return;
  if (event.key === HARD_KEY) void choose(session.hardToTell);
  const label = KEYS.includes(event.key) ? session.labels[Number(event.key) - 1] : undefined;
  if (label) void choose(label);
}

/** Show who has labelled already. */
async function welcome() {
  const { name, moments, raters } = await (await ask("raters")).json();
  part("name").textContent = name;
  part("count").textContent = String(moments);
  part("raters").replaceChildren(...Object.keys(raters).map((one) => Object.assign(document.createElement("option"), { value: one })));
  const told = Object.entries(raters).map(([one, labels]) => `${one} (${labels} of ${moments})`);
  part("known").textContent = told.length ? `Here already: ${told.join(", ")}.` : "";
}

part("start").addEventListener("submit", (event) => {
  event.preventDefault();
  void begin();
});
back.addEventListener("click", () => go(place - 1));
next.addEventListener("click", () => go(place + 1));
part("again").addEventListener("click", () => void begin(0));
addEventListener("keydown", press);
welcome()
  .catch((error) => notice(words(error)))
  .finally(() => (document.body.dataset.ready = "yes"));
