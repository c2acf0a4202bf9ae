"""The gaps between a page's animation frames while it does something else, as the page itself counts them."""

from __future__ import annotations

from typing import Any

from tests.server.browser import Page

COUNT = """(async () => {
  const gaps = [];
  let [last, running] = [null, true];
  const tick = (now) => {
    if (last !== null) gaps.push(now - last);
    last = now;
    if (running) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  const value = await (WORK)();
  running = false;
  return { gaps, value };
})()"""
"""Does the work, and returns what it gave, and the gaps in milliseconds."""


def run_with_gaps(page: Page, work: str) -> tuple[Any, list[float]]:
    """Let a page do some work, and return what it gave, and the gaps meanwhile in milliseconds.

    Args:
        page: The page.
        work: An asynchronous function of JavaScript.
    """
    told = page.run(COUNT.replace("WORK", work))
    return told["value"], told["gaps"]
