// What the server refuses, in its own words.

/** The words of an answer that is no success. */
export async function problemOf(answer) {
  const body = await answer.json().catch(() => ({}));
  return body.detail ?? `The server answered ${answer.status}.`;
}
