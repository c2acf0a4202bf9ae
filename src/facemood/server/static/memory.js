// What the page remembers from visit to visit: display options, and the language.

/**
 * @param {string} name
 * @param {string} value
 */
export function remember(name, value) {
  try {
    localStorage.setItem(`facemood-${name}`, value);
  } catch {
    // without storage, the page opens with the default options
  }
}

/** @param {string} name */
export function recall(name) {
  try {
    return localStorage.getItem(`facemood-${name}`);
  } catch {
    return null;
  }
}
