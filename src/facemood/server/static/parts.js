// The named parts of the page. They are remembered, because some of them may stand in another window for a while.

const known = new Map();

/** The element of a name. */
export function part(id) {
  if (!known.has(id)) known.set(id, document.getElementById(id));
  return known.get(id);
}
