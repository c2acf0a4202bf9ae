// Image sources (camera, shared screen, video), and messages for those that cannot be opened.

import { t } from "./language.js";

/** @typedef {keyof typeof WIDTHS} Moving A source of many images. */

/** Largest width of the images that are read, in pixels. Faces on shared screens are the smallest. */
const WIDTHS = { camera: 640, screen: 1280, video: 960 };

/**
 * Open a camera or a shared screen as a MediaStream.
 * @param {"camera" | "screen"} kind
 */
export async function openStream(kind) {
  if (!navigator.mediaDevices) {
    throw new Error(t("Browsers allow cameras and screens only on this machine or over https. Open this page as http://localhost, or serve it with a certificate."));
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
 * Tell when a camera or a shared screen is taken away, or stops for a while.
 * @param {MediaStream} stream
 * @param {"camera" | "screen"} kind
 * @param {(text: string, ended: boolean) => void} tell What to say, and whether it has ended; an empty text when it goes on.
 */
export function watchTrack(stream, kind, tell) {
  const [track] = stream.getVideoTracks();
  const camera = kind === "camera";
  track.addEventListener("ended", () => tell(t(camera
    ? "The camera was taken away. Plug it in, or allow it again with the camera icon next to the address, then choose it."
    : "Sharing has ended."), true));
  if (!camera) return; // a shared tab in which nothing moves gives no images either
  track.addEventListener("mute", () => tell(t("The camera gives no images at the moment. Open its cover, or close the other program that uses it."), false));
  track.addEventListener("unmute", () => tell("", false));
}

/**
 * Return width and height at which a video's images are read, in pixels: no wider than `WIDTHS` allows.
 * @param {HTMLVideoElement} video
 * @param {Moving} kind
 * @returns {[number, number]}
 */
export function sizeOf(video, kind) {
  const scale = Math.min(1, WIDTHS[kind] / video.videoWidth);
  return [Math.max(1, Math.round(video.videoWidth * scale)), Math.max(1, Math.round(video.videoHeight * scale))];
}

/**
 * @param {"camera" | "screen"} kind
 * @param {Error} error
 */
function whyNot(kind, error) {
  const camera = kind === "camera";
  switch (error.name) {
    case "NotAllowedError":
      return t(camera
        ? "The camera was not allowed. Allow it with the camera icon next to the address, then choose it again."
        : "Nothing was shared. Choose a window or tab in the browser's dialogue, then press Share.");
    case "NotFoundError":
      return t(camera ? "There is no camera. Plug one in, then choose it again." : "There is no screen or window to share.");
    case "NotReadableError":
      return t(camera
        ? "The camera is in use. Close the other program, then choose it again."
        : "The system does not let the browser record the screen. Allow it in the system settings.");
    case "NotSupportedError":
      return t("This browser cannot share a screen. Use the camera, or another browser.");
    default:
      return t(camera ? "The camera cannot be opened ({reason})." : "The screen cannot be opened ({reason}).", { reason: error.message });
  }
}
