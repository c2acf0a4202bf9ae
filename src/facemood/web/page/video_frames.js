// The frames of a video file, each once, in order, with its true time. The browser plays the video and hands its frames
// over; where one was passed over, the gap is filled by seeking backwards. So no frame's length need be known.

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

/** A gap between two frames that is longer than the shortest one by this factor may hold a frame. */
const SUSPICIOUS = 1.5;

/** Slowest and fastest rate of playing that browsers allow, and that is useful. */
const RATES = { least: 0.0625, first: 0.5, most: 2 };

/** Growth of the rate with each frame that arrived in order. */
const FASTER = 1.02;

/** Milliseconds after which a seek counts as done although no image was announced: the same image may be shown. */
const SETTLED = 250;

/** Milliseconds without any news of the video after which it counts as damaged. */
const PATIENCE = 20_000;

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
    this.#video.addEventListener("ended", () => this.#next(() => this.#finish()));
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
    if (!("requestVideoFrameCallback" in video)) throw new Error("This browser does not tell the times of a video's frames. Update it, or use another one.");
    while (video.readyState < 2 && !frames.#failure && !signal.aborted) await frames.#wait();
    if (frames.#failure) throw frames.#failure;
    return frames;
  }

  /** Length of the video in seconds; NaN for a recording that does not say. */
  get duration() {
    return Number.isFinite(this.#video.duration) ? this.#video.duration : NaN;
  }

  /** @returns {AsyncGenerator<VideoFrameAt>} */
  async* [Symbol.asyncIterator]() {
    await this.#take(await this.#shown());
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
    if (this.#busy || this.#ended || document.hidden || !this.#video.paused || this.#video.ended) return;
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
    this.#video.requestVideoFrameCallback((_, { presentedFrames, mediaTime }) => {
      if (this.#ended) return;
      const passed = presentedFrames - this.#presented > 1;
      this.#presented = presentedFrames;
      if (this.#playing && !this.#busy) this.#next(() => this.#receive(shownBy(this.#video, mediaTime), passed));
      this.#listen();
    });
  }

  /**
   * Do the next step, one at a time.
   * @param {() => Promise<void>} step
   */
  async #next(step) {
    if (this.#busy) {
      if (this.#video.ended) setTimeout(() => this.#next(step), 10); // the end is not missed
      return;
    }
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
    if (!passed && gap <= SUSPICIOUS * this.#shortest) {
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
    const announced = new Promise((done) => this.#video.requestVideoFrameCallback((_, { mediaTime }) => done(mediaTime)));
    this.#video.currentTime = target;
    await seeked;
    const late = new Promise((done) => setTimeout(done, SETTLED));
    return shownBy(this.#video, (await Promise.race([announced, late])) ?? target);
  }

  /** Return the frame that is shown. */
  async #shown() {
    return this.#seek(0);
  }

  /** Wait for news. */
  async #wait() {
    const news = new Promise((done) => (this.#news = () => done(true)));
    for (const name of ["loadeddata", "error"]) this.#video.addEventListener(name, () => this.#news(), { once: true });
    const late = new Promise((done) => setTimeout(() => done(document.hidden), PATIENCE));
    if (!(await Promise.race([news, late]))) this.#failure ??= new Error("The video stopped: it may be damaged. Convert it to MP4 (H.264) or WebM, then choose it again.");
  }

  #tell() {
    this.#news();
  }

  #fail() {
    if (!this.#ended) this.#failure = new Error("This browser cannot play the video any further: it is damaged, or of a kind that the browser does not know. Convert it to MP4 (H.264) or WebM, then choose it again.");
    this.#tell();
  }
}

/**
 * The image that a video shows now.
 * @typedef {{ time: number, bitmap: () => Promise<ImageBitmap>, close: () => void }} Shown
 */

/**
 * Return the image that a video shows. The time is the image's own where the browser tells it, so that a newer image than
 * the announced one has its own time too. The pixels are those of the element, because only they are upright where the
 * file says that players shall turn it.
 * @param {HTMLVideoElement} video
 * @param {number} announced Its time in seconds, as it was announced.
 * @returns {Shown}
 */
function shownBy(video, announced) {
  for (;;) {
    const before = timeOf(video, announced);
    const bitmap = createImageBitmap(video, DECODING);
    const close = () => void bitmap.then((one) => one.close());
    if (timeOf(video, announced) === before) return { time: before, bitmap: () => bitmap, close };
    close(); // another image came in between
  }
}

/**
 * Return the time of the image that a video shows, in seconds.
 * @param {HTMLVideoElement} video
 * @param {number} announced
 */
function timeOf(video, announced) {
  if (!("VideoFrame" in globalThis)) return announced;
  const frame = new VideoFrame(video);
  frame.close();
  return frame.timestamp / 1e6;
}
