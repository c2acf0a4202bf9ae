"use strict";
// Shows the numbers at the pointer; the arrow keys go from frame to frame. A click, or Enter, goes to that moment of the
// video, where there is a player. The page is complete without this script.
(() => {
  /**
   * The numbers of a chart: start and end of frames in milliseconds, and per cents for each name or face counts.
   * @typedef {object} Series
   * @property {[number, number]} span
   * @property {number[]} times
   * @property {number[]} ends
   * @property {string[]} [names]
   * @property {number[][]} [rows]
   * @property {number[]} [counts]
   */

  /** @param {number} ms */
  const clock = (ms) => {
    const tenths = Math.round(ms / 100), seconds = Math.floor(tenths / 10);
    const minutes = Math.floor(seconds / 60) % 60, hours = Math.floor(seconds / 3600);
    const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
    return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}.${tenths % 10}`;
  };

  /**
   * @param {Series} series
   * @param {number} index
   */
  const describe = ({ counts, names = [], rows = [] }, index) => {
    if (counts) return `${counts[index]} ${counts[index] === 1 ? "face" : "faces"}`;
    return names
      .map((name, row) => ({ name, share: rows[row][index] }))
      .filter(({ share }) => share > 0)
      .sort((one, other) => other.share - one.share)
      .slice(0, 4)
      .map(({ name, share }) => `${name} ${share}%`)
      .join(", ");
  };

  /**
   * The last frame that begins at or before a time, or -1.
   * @param {number[]} times
   * @param {number} time
   */
  const last = (times, time) => {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle + 1; else high = middle;
    }
    return low - 1;
  };

  /**
   * @param {Element} chart
   * @param {string} name
   */
  const find = (chart, name) => /** @type {HTMLElement} */ (chart.querySelector(name));

  /**
   * A player, and the marks of its time on the charts around it.
   * @typedef {object} Player
   * @property {(ms: number) => void} seek
   * @property {(ground: HTMLElement, span: [number, number]) => void} follow
   */

  /** @type {WeakMap<Element, Player>} */
  const players = new WeakMap();

  /** @param {Element} element */
  const playerOf = (element) => {
    const place = element.closest(".of-video");
    return place ? players.get(place) : undefined;
  };

  /**
   * @param {HTMLElement} element
   * @param {MouseEvent} event
   * @param {[number, number]} span
   */
  const timeAt = (element, event, [start, end]) => {
    const { left, width } = element.getBoundingClientRect();
    return Math.min(Math.max(start + ((event.clientX - left) / width) * (end - start), start), end);
  };

  /** @param {Element} place */
  const preparePlayer = (place) => {
    const video = place.querySelector("video");
    if (!video) return;
    /** @type {(() => void)[]} */
    const marks = [];
    const update = () => marks.forEach((mark) => mark());
    const follow = (/** @type {HTMLElement} */ ground, /** @type {[number, number]} */ [start, end]) => {
      const head = document.createElement("div");
      head.className = "playhead";
      ground.append(head);
      const mark = () => {
        const share = (1000 * video.currentTime - start) / (end - start);
        head.hidden = !(share >= 0 && share <= 1);
        head.style.left = `${100 * share}%`;
      };
      marks.push(mark);
      mark();
    };
    const play = () => {
      update();
      if (!video.paused && !video.ended) requestAnimationFrame(play);
    };
    video.addEventListener("play", play);
    for (const name of ["seeking", "seeked", "timeupdate"]) video.addEventListener(name, update);
    video.addEventListener("error", () => {
      find(place, ".trouble").hidden = false;
      video.hidden = true;
    });
    players.set(place, { seek: (ms) => { video.currentTime = ms / 1000; update(); }, follow });
  };

  /** @param {HTMLElement} timeline */
  const prepareTimeline = (timeline) => {
    const player = playerOf(timeline), span = JSON.parse(timeline.dataset.span ?? "[0, 1]");
    if (!player) return;
    timeline.querySelectorAll(".strip").forEach((/** @type {any} */ strip) => {
      player.follow(strip, span);
      strip.addEventListener("click", (/** @type {MouseEvent} */ event) => player.seek(timeAt(strip, event, span)));
    });
  };

  /** @param {Element} chart */
  const prepare = (chart) => {
    /** @type {Series} */
    const series = JSON.parse(find(chart, "script").textContent ?? "");
    const read = find(chart, ".read"), ground = find(chart, ".ground");
    const [start, end] = series.span, hair = document.createElement("div"), player = playerOf(chart);
    let now = -1;
    hair.className = "hair";
    hair.hidden = true;
    ground.append(hair);
    ground.tabIndex = 0;

    const show = (/** @type {number} */ time) => {
      const index = last(series.times, time), inSight = index >= 0 && time <= series.ends[index];
      now = index;
      hair.hidden = false;
      hair.style.left = `${(100 * (time - start)) / (end - start)}%`;
      read.textContent = `${clock(time)}: ${inSight ? describe(series, index) : "not in sight"}`;
    };
    const hide = () => { hair.hidden = true; read.textContent = ""; };
    const step = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && now >= 0) player?.seek(series.times[now]);
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const direction = event.key === "ArrowLeft" ? -1 : 1;
      event.preventDefault();
      show(series.times[Math.min(Math.max(now + direction, 0), series.times.length - 1)]);
    };

    ground.addEventListener("pointermove", (event) => {
      show(timeAt(ground, event, series.span));
    });
    ground.addEventListener("click", (event) => player?.seek(timeAt(ground, event, series.span)));
    player?.follow(ground, series.span);
    ground.addEventListener("pointerleave", hide);
    ground.addEventListener("blur", hide);
    ground.addEventListener("keydown", step);
  };

  document.documentElement.classList.add("live");
  document.querySelectorAll(".of-video").forEach(preparePlayer);
  document.querySelectorAll(".overview").forEach((/** @type {any} */ timeline) => prepareTimeline(timeline));
  document.querySelectorAll(".chart").forEach(prepare);
  /**
   * @param {string} which
   * @returns {NodeListOf<HTMLDetailsElement>}
   */
  const details = (which) => document.querySelectorAll(`details${which}`);
  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1)), folded = target?.closest("details:not([open])");
    if (!target || !(folded instanceof HTMLDetailsElement)) return;
    folded.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();
  addEventListener("beforeprint", () => {
    details(":not([open])").forEach((folded) => { folded.dataset.folded = ""; folded.open = true; });
  });
  addEventListener("afterprint", () => {
    details("[data-folded]").forEach((folded) => { delete folded.dataset.folded; folded.open = false; });
  });
})();
