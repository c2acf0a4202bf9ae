// The frames of a video file, each once, in order, with its true time. The browser plays the video and hands its frames
// over; where it may have passed one over, the gap is looked through by seeking backwards. So no frame's length need be
// known. It needs a browser that tells the time of the very image that it shows.

import { t } from "../../server/static/language.js";

/**
 * A frame: its pixels, and its time in seconds from the start of the video.
 * @typedef {{ bitmap: ImageBitmap, time: number }} VideoFrameAt
 */

/** How pixels are decoded: as they are in the file. */
const DECODING = /** @type {const} */ ({ colorSpaceConversion: "none", premultiplyAlpha: "none" });

/** Most frames that wait to be read; the video pauses then. */
const MOST_WAITING = 3;

/** Seconds by which two times of the same frame differ at most, and by which a seek aims before a frame. */
const CLOSE = 0.0004;

/** Slowest and fastest rate of playing that browsers allow, and that is useful. */
const RATES = { least: 0.0625, first: 0.25, most: 2 };

/**
 * A gap that is longer than the shortest one by this factor may hold a frame: Chromium passes over some that it counts
 * nowhere.
 */
const SUSPICIOUS = 1.5;

/** Growth of the rate with each frame that arrived in order. */
const FASTER = 1.02;

/** Milliseconds after which a seek counts as done although no image was announced: the same image may be shown. */
const SETTLED = 250;

/** Milliseconds without any news of the video after which it counts as damaged. */
const PATIENCE = 20_000;

/** What is said where the browser does not tell them. */
const NO_TIMES = "This browser does not tell the exact times of a video's frames. Use Chrome, Edge or another browser on Chromium for all frames; predictions while the video plays work here too.";

export class VideoFrames {
  #video = document.createElement("video");

  /** @type {VideoFrameAt[]} */
  #waiting = [];

  /** Called when a frame waits, or the video has ended or failed. */
  #news = () => {};

  /** @type {Error | null} */
  #failure = null;

  #last = -Infinity;
  #shortest = Infinity;
  #rate = RATES.first;
  #presented = 0;
  #dropped = 0;
  #ended = false;
  #busy = false;
  #playing = false;

  /**
   * @param {File} file
   * @param {AbortSignal} signal Ends it.
   * @param {(waiting: boolean) => void} onHidden Called when it must wait, because the page is hidden, and when it goes on.
   */
  constructor(file, signal, onHidden) {
    this.signal = signal;
    this.onHidden = onHidden;
    Object.assign(this.#video, { muted: true, playsInline: true, preload: "auto", src: URL.createObjectURL(file) });
    this.#video.addEventListener("error", () => this.#fail());
    this.#video.addEventListener("ended", () => this.#play());
    signal.addEventListener("abort", () => this.#tell());
    document.addEventListener("visibilitychange", this.#visibility);
  }

  /**
   * Open a video file.
   * @param {File} file
   * @param {AbortSignal} signal
   * @param {(waiting: boolean) => void} onHidden
   * @throws {Error} The browser cannot play it, or cannot tell its frames.
   */
  static async open(file, signal, onHidden) {
    const frames = new VideoFrames(file, signal, onHidden);
    const video = frames.#video;
    while (video.readyState < 2 && !frames.#failure && !signal.aborted) await frames.#wait();
    if (!frames.#failure && !(await tellsTimes(video))) frames.#failure = new Error(t(NO_TIMES));
    if (!frames.#failure) return frames;
    frames.close();
    throw frames.#failure;
  }

  /** Length of the video in seconds; NaN for a recording that does not say. */
  get duration() {
    return Number.isFinite(this.#video.duration) ? this.#video.duration : NaN;
  }

  /** @returns {AsyncGenerator<VideoFrameAt>} */
  async* [Symbol.asyncIterator]() {
    await this.#take(await this.#seek(0));
    this.#listen();
    this.#play();
    while (!this.signal.aborted) {
      const frame = this.#waiting.shift();
      if (frame) {
        yield frame;
        if (this.#waiting.length < MOST_WAITING) this.#play();
      } else if (this.#failure) {
        throw this.#failure;
      } else if (this.#ended) {
        return;
      } else {
        await this.#wait();
      }
    }
  }

  /** Release the video and the frames that wait. */
  close() {
    document.removeEventListener("visibilitychange", this.#visibility);
    this.#ended = true;
    for (const { bitmap } of this.#waiting.splice(0)) bitmap.close();
    this.#video.pause();
    URL.revokeObjectURL(this.#video.src);
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #play() {
    if (this.#busy || this.#ended || document.hidden) return;
    if (this.#video.ended) this.#next(() => this.#finish());
    if (!this.#video.paused || this.#video.ended) return;
    this.#playing = true;
    this.#video.playbackRate = this.#rate;
    this.#video.play().catch(() => {}); // it may be paused again at once
  }

  #pause() {
    this.#playing = false;
    this.#video.pause();
  }

  #visibility = () => {
    this.onHidden(document.hidden);
    if (document.hidden) this.#pause();
    else this.#play();
  };

  #listen() {
    this.#video.requestVideoFrameCallback((_, { presentedFrames }) => {
      if (this.#ended) return;
      const passed = presentedFrames - this.#presented > 1 || this.#droppedMore();
      this.#presented = presentedFrames;
      if (this.#playing && !this.#busy) this.#next(() => this.#receive(shownBy(this.#video), passed));
      this.#listen();
    });
  }

  /** Return whether the browser has dropped frames since it was asked last. */
  #droppedMore() {
    const { droppedVideoFrames } = this.#video.getVideoPlaybackQuality();
    const more = droppedVideoFrames > this.#dropped;
    this.#dropped = droppedVideoFrames;
    return more;
  }

  /**
   * Do the next step, one at a time.
   * @param {() => Promise<void>} step
   */
  async #next(step) {
    if (this.#ended || this.#busy) return;
    this.#busy = true;
    try {
      await step();
    } catch (error) {
      this.#failure = /** @type {Error} */ (error);
    }
    this.#busy = false;
    if (this.#waiting.length < MOST_WAITING) this.#play();
    this.#tell();
  }

  /**
   * Take a frame of the playing video, after those before it that it passed over.
   * @param {Shown} shown
   * @param {boolean} passed Whether the browser says that it passed over some.
   */
  async #receive(shown, passed) {
    const gap = shown.time - this.#last;
    if (gap <= CLOSE) return shown.close();
    if (this.#waiting.length + 1 >= MOST_WAITING) this.#pause();
    if (!passed && this.#shortest < Infinity && gap <= SUSPICIOUS * this.#shortest) {
      this.#rate = Math.min(RATES.most, this.#rate * FASTER);
      return this.#take(shown);
    }
    this.#pause();
    const bitmap = await shown.bitmap();
    const missed = await this.#fill(shown.time);
    await this.#add({ bitmap, time: shown.time });
    if (missed) this.#rate = Math.max(RATES.least, this.#rate / 2);
    await this.#seek(shown.time + CLOSE);
    return undefined;
  }

  /**
   * Add the frames between the last one and a time, which are found by seeking backwards; return how many there are.
   * @param {number} end
   */
  async #fill(end) {
    /** @type {VideoFrameAt[]} */
    const missed = [];
    for (let time = end; !this.signal.aborted;) {
      const shown = await this.#seek(time - CLOSE);
      if (shown.time <= this.#last + CLOSE || shown.time >= time - CLOSE / 2) {
        shown.close();
        break;
      }
      time = shown.time;
      missed.push({ bitmap: await shown.bitmap(), time });
    }
    for (const frame of missed.reverse()) await this.#add(frame);
    return missed.length;
  }

  /** Add the last frames, which the end of the video may have passed over. */
  async #finish() {
    await this.#fill((this.duration || this.#video.currentTime) + 2 * CLOSE);
    this.#ended = true;
  }

  /** @param {Shown} shown */
  async #take(shown) {
    await this.#add({ bitmap: await shown.bitmap(), time: shown.time });
  }

  /** @param {VideoFrameAt} frame */
  async #add(frame) {
    if (this.#last > -Infinity) this.#shortest = Math.min(this.#shortest, frame.time - this.#last);
    this.#last = frame.time;
    this.#waiting.push(frame);
    this.#tell();
  }

  /**
   * Show the frame of a time, and return it.
   * @param {number} time
   * @returns {Promise<Shown>}
   */
  async #seek(time) {
    const target = Math.min(Math.max(0, time), this.duration || time);
    const seeked = new Promise((done) => this.#video.addEventListener("seeked", done, { once: true }));
    const announced = new Promise((done) => this.#video.requestVideoFrameCallback(done));
    this.#video.currentTime = target;
    await seeked;
    const late = new Promise((done) => setTimeout(done, SETTLED));
    await Promise.race([announced, late]);
    return shownBy(this.#video);
  }

  /** Wait for news. */
  async #wait() {
    const news = new Promise((done) => (this.#news = () => done(true)));
    for (const name of ["loadeddata", "error"]) this.#video.addEventListener(name, () => this.#news(), { once: true });
    const late = new Promise((done) => setTimeout(() => done(document.hidden), PATIENCE));
    if (!(await Promise.race([news, late]))) this.#failure ??= new Error(t("The video stopped: it may be damaged. Convert it to MP4 (H.264) or WebM, then choose it again."));
  }

  #tell() {
    this.#news();
  }

  #fail() {
    if (!this.#ended) this.#failure = new Error(t("This browser cannot play the video any further: it is damaged, or of a kind that the browser does not know. Convert it to MP4 (H.264) or WebM, then choose it again."));
    this.#tell();
  }
}

/**
 * The image that a video shows now.
 * @typedef {{ time: number, bitmap: () => Promise<ImageBitmap>, close: () => void }} Shown
 */

/**
 * Return the image that a video shows, with its own time. The pixels are those of the element, because only they are
 * upright where the file says that players shall turn it.
 * @param {HTMLVideoElement} video
 * @returns {Shown}
 */
function shownBy(video) {
  for (;;) {
    const time = timeOf(video);
    const bitmap = createImageBitmap(video, DECODING);
    const close = () => void bitmap.then((one) => one.close());
    if (timeOf(video) === time) return { time, bitmap: () => bitmap, close };
    close(); // another image came in between
  }
}

/**
 * Return the time of the image that a video shows, in seconds.
 * @param {HTMLVideoElement} video
 */
function timeOf(video) {
  const frame = new VideoFrame(video);
  frame.close();
  return frame.timestamp / 1e6;
}

/**
 * Return whether the browser tells the time of the image that it shows. Firefox 153 gives whole seconds. A newer image than
 * the announced one may be shown, an older one may not.
 * @param {HTMLVideoElement} video
 * @returns {Promise<boolean>}
 */
async function tellsTimes(video) {
  if (!("VideoFrame" in globalThis) || !("requestVideoFrameCallback" in video)) return false;
  const told = new Promise((done) => {
    const look = () => video.requestVideoFrameCallback((_, { mediaTime }) => (mediaTime > CLOSE ? done(timeOf(video) >= mediaTime - CLOSE) : look()));
    look();
    for (const name of ["ended", "error"]) video.addEventListener(name, () => done(true), { once: true }); // one frame
  });
  video.playbackRate = RATES.first;
  video.play().catch(() => {});
  const answer = await told;
  video.pause();
  return answer === true;
}
