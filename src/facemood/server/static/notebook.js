// The camera in a notebook cell: a preview, a button, and a photo as a data: address. Errors are shown in the cell.

/* exported addElement, takePhoto, enterAnswer */

/** @type {Record<string, string>} */
const MESSAGES = {
  NotAllowedError: "The camera was not allowed. Allow it with the camera icon next to the address, then run the cell again.",
  NotFoundError: "There is no camera. Plug one in, then run the cell again.",
  NotReadableError: "The camera is in use. Close the other program, then run the cell again.",
};

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Element} place
 * @param {object} properties
 * @returns {HTMLElementTagNameMap[Name]}
 */
function addElement(name, place, properties) {
  const element = Object.assign(document.createElement(name), properties);
  place.append(element);
  return element;
}

/**
 * @param {{ width: number, quality: number }} options
 * @returns {Promise<string>}
 */
async function takePhoto({ width, quality }) {
  const script = document.currentScript;
  const box = addElement("div", script?.parentElement ?? document.querySelector("#output-area") ?? document.body, {});
  try {
    if (!navigator.mediaDevices) throw new Error("Browsers allow cameras only on this machine or over https.");
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: width } } });
    const video = addElement("video", box, { srcObject: stream, muted: true, playsInline: true });
    Object.assign(video.style, { display: "block", maxWidth: "min(100%, 480px)", transform: "scaleX(-1)" });
    await video.play();
    const style = "margin: .5em .5em 0 0; padding: .5em 1em; font: inherit; cursor: pointer";
    const button = addElement("button", box, { textContent: "Take the photo", style });
    const cancel = addElement("button", box, { textContent: "Cancel", style });
    const taken = await new Promise((done) => {
      button.onclick = () => done(true);
      cancel.onclick = () => done(false);
    });
    const canvas = document.createElement("canvas");
    const scale = Math.min(1, width / video.videoWidth);
    [canvas.width, canvas.height] = [video.videoWidth * scale, video.videoHeight * scale].map(Math.round);
    /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(video, 0, 0, canvas.width, canvas.height);
    stream.getTracks().forEach((track) => track.stop());
    box.remove();
    return taken ? canvas.toDataURL("image/jpeg", quality) : "error:no photo was taken; the button Cancel was pressed";
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    const text = MESSAGES[name] ?? `The camera cannot be used (${message}).`;
    box.textContent = text;
    return `error:${text}`;
  }
}

/**
 * Enter an answer in the input field of a Jupyter cell that shows this prompt. Jupyter cells wait only for such input.
 * @param {string} prompt
 * @param {string} answer
 */
async function enterAnswer(prompt, answer) {
  const fields = () => [...document.querySelectorAll(/** @type {"input"} */ ("input, textarea"))];
  const asked = () => fields().find((field) => {
    const around = field.closest(".jp-Stdin, .raw_input_container, .jp-OutputArea-stdin-item") ?? field.parentElement;
    return around?.textContent?.includes(prompt);
  });
  let field = asked();
  while (!field) {
    await new Promise((done) => setTimeout(done, 50));
    field = asked();
  }
  field.value = answer;
  for (const type of ["keydown", "keypress", "keyup"]) {
    field.dispatchEvent(new KeyboardEvent(type, { key: "Enter", code: "Enter", keyCode: 13, which: 13, bubbles: true }));
  }
}
