// What went wrong: where the page says it, and what the server said.

import { part } from "./parts.js";

/**
 * The message of a failed request.
 * @param {Response} answer
 * @returns {Promise<string>}
 */
export async function problemOf(answer) {
  const body = await answer.json().catch(() => ({}));
  return body.detail ?? `The server answered ${answer.status}.`;
}

/**
 * Say what went wrong at the top of the page; an empty text removes it.
 * @param {string} text
 */
export function notice(text) {
  part("notice").textContent = text;
  part("notice").hidden = !text;
}
