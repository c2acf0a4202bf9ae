// The colours of expressions, as the server sends them, and a readable text colour for each.

const OTHER = "#9be6cd";
/** @type {Record<string, string>} */
let known = {};

/**
 * Set the colours that the server sent: {label: "#rrggbb"}.
 * @param {Record<string, string>} colours
 */
export function setColours(colours) {
  known = colours;
}

/**
 * The colour of an expression.
 * @param {string} label
 */
export function colourOf(label) {
  return known[label] ?? OTHER;
}

/**
 * Dark or white, whichever is easier to read on a colour (relative luminance, ITU-R BT.709).
 * @param {string} colour
 */
export function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 100 ? "#16181c" : "#ffffff";
}
