// Faces with as many decimals as Python writes: the columns of table.py say how many.

/**
 * @import { Face } from "../../server/static/messages.js"
 * @import { Face as ReadFace } from "../engine.js"
 *
 * A column of the table: its path in a result, and its decimals; null for values that are not rounded.
 * @typedef {{ name: string, path: (string | number)[], decimals: number | null }} RoundedColumn
 */

/**
 * Return a face with rounded numbers. All action units, also those of a side, have the decimals of those in the table.
 * @param {ReadFace} face
 * @param {RoundedColumn[]} columns
 * @returns {Face}
 */
export function roundedFace(face, columns) {
  const rounded = structuredClone(face);
  const pixels = columns.find(({ path }) => path.includes("box"))?.decimals ?? 0;
  rounded.landmarks = rounded.landmarks.map(([x, y]) => [Number(x.toFixed(pixels)), Number(y.toFixed(pixels))]);
  const digits = columns.find(({ path }) => path.includes("action_units"))?.decimals ?? 0;
  const units = Object.entries(rounded.action_units ?? {}).map(([key, value]) => [key, Number(value.toFixed(digits))]);
  if (units.length) rounded.action_units = Object.fromEntries(units);
  for (const { path: [, ...path], decimals } of columns.filter(({ path: [first], decimals: known }) => first === "faces" && known !== null)) {
    /** @type {any} */
    let place = rounded;
    const last = path.pop() ?? "";
    for (const key of path) place = place && Object.hasOwn(place, key) ? place[key] : undefined;
    if (place && Object.hasOwn(place, last)) place[last] = Number(place[last].toFixed(decimals));
  }
  return rounded;
}
