// Error messages of the server.

/**
 * The message of a failed request.
 * @param {Response} answer
 * @returns {Promise<string>}
 */
export async function problemOf(answer) {
  const body = await answer.json().catch(() => ({}));
  return body.detail ?? `The server answered ${answer.status}.`;
}
