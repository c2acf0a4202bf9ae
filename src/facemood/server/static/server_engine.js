// The engine that is a server: images go to it over a WebSocket, photos and videos over HTTP.

import { t } from "./language.js";
import { Link } from "./link.js";
import { part } from "./parts.js";
import { problemOf } from "./problems.js";
import { VideoUpload } from "./videos.js";

/**
 * @import { PageEngine, Settings, Shot } from "./messages.js"
 */

/** @implements {PageEngine} */
export class ServerEngine extends Link {
  get unplayable() {
    return t("This browser cannot play the video. facemood can still analyze all frames.");
  }

  get waiting() {
    return t("Waiting for the first image");
  }

  encoder = new Worker(new URL("encoder.js", import.meta.url));

  videos = new VideoUpload({
    box: part("whole-video"), words: part("video-words"), progress: part("video-progress"), read: part("video-read"),
    cancel: part("video-cancel"), results: part("video-results"),
  });

  describe() {
    const place = /^(localhost|127\.|\[::1\])/.test(location.hostname) ? t("this machine") : location.hostname;
    part("where").textContent = t("To the facemood server at this page's address, {place}, and nowhere else. Nothing is kept unless you record it.", { place });
    part("video-hint").textContent = t("Watch it with live predictions, or analyze every frame");
    part("more").hidden = false;
    part("engine").hidden = true;
  }

  /** @returns {Promise<Settings>} */
  async settings() {
    const answer = await fetch("v1/settings");
    if (!answer.ok) throw new Error(await problemOf(answer));
    return answer.json();
  }

  /** @param {Shot} shot */
  async take({ source, size }) {
    const bitmap = await createImageBitmap(source);
    /** @type {ArrayBuffer} */
    const bytes = await new Promise((done) => {
      this.encoder.onmessage = ({ data }) => done(data);
      this.encoder.postMessage({ bitmap, size }, [bitmap]);
    });
    if (this.free) this.send(bytes);
  }

  /** The server always measures action units. */
  measureUnits() {}

  /**
   * @param {File[]} files
   * @param {{ maps: boolean }} wanted
   */
  async readPhotos(files, { maps }) {
    const form = new FormData();
    for (const file of files) form.append("image", file, file.name);
    const answer = await fetch(`v1/analyze?maps=${maps}`, { method: "POST", body: form }).catch(() => null);
    if (answer?.ok) return answer.json();
    throw new Error(answer ? await problemOf(answer) : t("The photo could not be uploaded. It may be too large, or the server has stopped."));
  }

  /** @param {File | null} file */
  offerVideo(file) {
    this.videos.offer(file);
  }
}
