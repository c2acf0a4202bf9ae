// The page of the API, made from its OpenAPI schema. It loads nothing from other servers.

import { part } from "./parts.js";
import { make } from "./people.js";

/**
 * The parts of an OpenAPI schema that the page uses.
 * @typedef {{ $ref?: string, properties?: Record<string, { description?: string }> }} Schema
 * @typedef {{ name: string, in: string, description?: string }} Parameter
 * @typedef {object} Operation
 * @property {string} summary
 * @property {string} [description]
 * @property {string[]} [tags]
 * @property {Parameter[]} [parameters]
 * @property {{ content: Record<string, { schema: Schema }> }} [requestBody]
 * @property {Record<string, { description: string }>} responses
 * @typedef {{ info: { description: string }, components: { schemas: Record<string, Schema> },
 *   paths: Record<string, Record<string, Operation>> }} OpenApi
 */

const METHODS = ["get", "post", "delete"];

/**
 * The parameters of an operation as rows: name, place and description.
 * @param {Operation} operation
 */
function parametersOf(operation) {
  const body = Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, { schema }]) => {
    const name = schema.$ref?.split("/").at(-1);
    return Object.entries(name ? (schemas[name].properties ?? {}) : {}).map(([key, value]) => [key, type, value.description]);
  });
  const query = (operation.parameters ?? []).map((one) => [one.name, one.in, one.description ?? ""]);
  return [...query, ...body];
}

/** @param {(string | undefined)[][]} rows */
function table(rows) {
  const whole = make("table");
  for (const cells of rows) {
    const row = make("tr");
    row.append(...cells.map((cell) => make("td", "", cell ?? "")));
    whole.append(row);
  }
  return whole;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Operation} operation
 */
function article(method, path, operation) {
  const whole = make("article");
  const title = make("h3");
  title.append(make("span", "method", method.toUpperCase()), make("code", "", path), make("span", "soft", operation.summary));
  whole.append(title, make("p", "", operation.description ?? ""));
  const parameters = parametersOf(operation);
  if (parameters.length) whole.append(table(parameters));
  const answers = Object.entries(operation.responses).map(([status, { description }]) => `${status} ${description}`);
  whole.append(make("p", "soft", answers.join(" · ")));
  return whole;
}

/** @type {OpenApi} */
const openApi = await (await fetch("openapi.json")).json();
const schemas = openApi.components.schemas;
part("about").textContent = openApi.info.description;
part("example").textContent = `curl -F image=@photo.jpg ${new URL("v1/analyze", location.href)}`;
/** @type {Map<string, HTMLElement[]>} */
const groups = new Map();
for (const [path, operations] of Object.entries(openApi.paths)) {
  for (const method of METHODS.filter((name) => operations[name])) {
    const tag = operations[method].tags?.[0] ?? "";
    groups.set(tag, [...(groups.get(tag) ?? []), article(method, path, operations[method])]);
  }
}
for (const [tag, articles] of groups) {
  part("routes").append(make("h2", "", tag[0].toUpperCase() + tag.slice(1)), ...articles);
}
