// A worker with a timer. Browsers do not slow it down while the page is hidden or busy.

/** Milliseconds between two ticks of the timer. */
const TICK = 30;

setInterval(() => postMessage(null), TICK);
