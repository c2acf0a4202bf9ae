"use strict";
// Shows the numbers at the pointer; the arrow keys go from frame to frame. The page is complete without this script.
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

  /** @param {Element} chart */
  const prepare = (chart) => {
    /** @type {Series} */
    const series = JSON.parse(find(chart, "script").textContent ?? "");
    const read = find(chart, ".read"), ground = find(chart, ".ground");
    const [start, end] = series.span, hair = document.createElement("div");
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
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const direction = event.key === "ArrowLeft" ? -1 : 1;
      event.preventDefault();
      show(series.times[Math.min(Math.max(now + direction, 0), series.times.length - 1)]);
    };

    ground.addEventListener("pointermove", (event) => {
      const { left, width } = ground.getBoundingClientRect();
      show(Math.min(Math.max(start + ((event.clientX - left) / width) * (end - start), start), end));
    });
    ground.addEventListener("pointerleave", hide);
    ground.addEventListener("blur", hide);
    ground.addEventListener("keydown", step);
  };

  document.documentElement.classList.add("live");
  document.querySelectorAll(".chart").forEach(prepare);
  /**
   * @param {string} which
   * @returns {NodeListOf<HTMLDetailsElement>}
   */
  const details = (which) => document.querySelectorAll(`details${which}`);
  addEventListener("beforeprint", () => {
    details(":not([open])").forEach((folded) => { folded.dataset.folded = ""; folded.open = true; });
  });
  addEventListener("afterprint", () => {
    details("[data-folded]").forEach((folded) => { delete folded.dataset.folded; folded.open = false; });
  });
})();
