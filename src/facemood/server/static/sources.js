// Where pictures come from: camera, shared screen, video; and what to say when one cannot be had.

/** @typedef {keyof typeof WIDTHS} Moving A source whose pictures change. */

const WIDTHS = { camera: 640, screen: 1280, video: 960 };

/**
 * Open a camera or a shared screen; gives a MediaStream.
 * @param {"camera" | "screen"} kind
 */
export async function openStream(kind) {
  if (!navigator.mediaDevices) {
    throw new Error(
      "Browsers give cameras and screens only to pages of this machine or of https. Open this page as http://localhost, " +
        "or let the server have a certificate.",
    );
  }
  try {
    return kind === "camera"
      ? await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 720 } } })
      : await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 15 }, audio: false });
  } catch (error) {
    throw new Error(whyNot(kind, /** @type {Error} */ (error)), { cause: error });
  }
}

/**
 * Have the picture that a video shows now made into a JPEG by the worker, no wider than suits its kind.
 * @param {HTMLVideoElement} video
 * @param {Moving} kind
 * @param {Worker} worker
 */
export async function takeFrame(video, kind, worker) {
  const scale = Math.min(1, WIDTHS[kind] / video.videoWidth);
  const size = [video.videoWidth, video.videoHeight].map((side) => Math.max(1, Math.round(side * scale)));
  const bitmap = await createImageBitmap(video);
  worker.postMessage({ bitmap, size }, [bitmap]);
}

/**
 * @param {"camera" | "screen"} kind
 * @param {Error} error
 */
function whyNot(kind, error) {
  const camera = kind === "camera";
  switch (error.name) {
    case "NotAllowedError":
      return camera
        ? "The camera was not allowed. Allow it at the camera sign beside the address, then choose it again."
        : "Nothing was shared. Choose a window or tab in the browser's dialogue, then press Share.";
    case "NotFoundError":
      return camera ? "There is no camera. Plug one in, then choose it again." : "There is nothing that can be shared.";
    case "NotReadableError":
      return camera
        ? "The camera is in use. Close the other program, then choose it again."
        : "The system does not let the browser see the screen; allow it in the system's settings.";
    case "NotSupportedError":
      return "This browser cannot share a screen. Use the camera, or another browser.";
    default:
      return `${camera ? "The camera" : "The screen"} cannot be opened (${error.message}).`;
  }
}
