// A small drawn face for each expression: the shape carries the same information as the colour.

import { colourOf, inkOn } from "./colours.js";

const SVG = "http://www.w3.org/2000/svg";
const EYES = "M17 21v3M31 21v3";
const WIDE = "M17 19.5a3 3.4 0 1 0 .01 0zM31 19.5a3 3.4 0 1 0 .01 0z";

/** @type {Record<string, string[]>} */
const STROKES = {
  angry: ["M11 14l9 4.5M37 14l-9 4.5", EYES, "M16 36c4-4 12-4 16 0"],
  disgust: ["M12 17l8 1.5M36 17l-8 1.5", "M14 23h6M28 23h6", "M21 28l3-2 3 2", "M15 36c3-5 7 1 10-3 3-3 5 0 8-1"],
  fear: ["M12 15l8-4M36 15l-8-4", WIDE, "M15 36l3.5-3 3.5 3 3.5-3 3.5 3 3-3"],
  happy: ["M13 22c1.5-3 6.5-3 8 0M27 22c1.5-3 6.5-3 8 0", "M13 29c4 10 18 10 22 0z"],
  sad: ["M12 18l8-5M36 18l-8-5", EYES, "M16 37c3-5 13-5 16 0"],
  surprise: ["M12 13c2-3 6-3 8 0M28 13c2-3 6-3 8 0", WIDE, "M24 29.5a4.5 5.5 0 1 0 .01 0z"],
  neutral: ["M13 16h7M28 16h7", EYES, "M16 34h16"],
  contempt: ["M13 16h7M28 14l7 1", EYES, "M16 35h9c4 0 6-2 8-5"],
};

/**
 * Draw the face of an expression as an SVG element.
 * @param {string} label
 */
export function glyph(label) {
  const colour = colourOf(label);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 48 48");
  svg.setAttribute("aria-hidden", "true");
  const disc = document.createElementNS(SVG, "circle");
  for (const [name, value] of Object.entries({ cx: "24", cy: "24", r: "23", fill: colour })) disc.setAttribute(name, value);
  svg.append(disc);
  for (const line of STROKES[label] ?? [EYES]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    path.setAttribute("fill", line.endsWith("z") && label === "happy" ? inkOn(colour) : "none");
    path.setAttribute("stroke", inkOn(colour));
    path.setAttribute("stroke-width", "2.8");
    path.setAttribute("stroke-linecap", "round");
    path.setAttribute("stroke-linejoin", "round");
    svg.append(path);
  }
  return svg;
}
