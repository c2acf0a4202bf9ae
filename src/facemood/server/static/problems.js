// What the server refuses, in its own words.

/**
 * The words of an answer that is no success.
 * @param {Response} answer
 * @returns {Promise<string>}
 */
export async function problemOf(answer) {
  const body = await answer.json().catch(() => ({}));
  return body.detail ?? `The server answered ${answer.status}.`;
}
