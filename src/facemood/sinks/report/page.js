"use strict";
// Reads out the numbers below the pointer, or from frame to frame by the arrow keys. The page is whole without it.
(() => {
  const clock = (ms) => {
    const tenths = Math.round(ms / 100), seconds = Math.floor(tenths / 10);
    const minutes = Math.floor(seconds / 60) % 60, hours = Math.floor(seconds / 3600);
    const two = (number) => String(number).padStart(2, "0");
    return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}.${tenths % 10}`;
  };

  const say = (series, index) => {
    if (series.counts) return `${series.counts[index]} in the picture`;
    return series.names
      .map((name, row) => [name, series.rows[row][index]])
      .filter(([, share]) => share > 0)
      .sort((one, other) => other[1] - one[1])
      .slice(0, 4)
      .map(([name, share]) => `${name} ${share}%`)
      .join(", ");
  };

  const last = (times, time) => { // the last frame that begins by then, or -1
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle + 1; else high = middle;
    }
    return low - 1;
  };

  const prepare = (chart) => {
    const series = JSON.parse(chart.querySelector("script").textContent);
    const read = chart.querySelector(".read"), ground = chart.querySelector(".ground");
    const [start, end] = series.span, hair = document.createElement("div");
    let now = -1;
    hair.className = "hair";
    hair.hidden = true;
    ground.append(hair);
    ground.tabIndex = 0;

    const show = (time) => {
      const index = last(series.times, time), seen = index >= 0 && time <= series.ends[index];
      now = index;
      hair.hidden = false;
      hair.style.left = `${(100 * (time - start)) / (end - start)}%`;
      read.textContent = `${clock(time)}: ${seen ? say(series, index) : "not in sight"}`;
    };
    const hide = () => { hair.hidden = true; read.textContent = ""; };
    const step = (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      show(series.times[Math.min(Math.max(now + way, 0), series.times.length - 1)]);
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
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details:not([open])").forEach((folded) => { folded.dataset.folded = ""; folded.open = true; });
  });
  addEventListener("afterprint", () => {
    document.querySelectorAll("details[data-folded]").forEach((folded) => { delete folded.dataset.folded; folded.open = false; });
  });
})();
