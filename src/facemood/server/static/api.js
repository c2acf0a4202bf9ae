// The API's page: made from its OpenAPI schema, without anything from elsewhere.

import { make } from "./people.js";

const METHODS = ["get", "post", "delete"];

function parametersOf(operation) {
  const body = Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, { schema }]) => {
    const name = schema.$ref?.split("/").at(-1);
    return Object.entries(name ? (schemas[name].properties ?? {}) : {}).map(([key, value]) => [key, type, value.description]);
  });
  const query = (operation.parameters ?? []).map((one) => [one.name, one.in, one.description ?? ""]);
  return [...query, ...body];
}

function table(rows) {
  const whole = make("table");
  for (const cells of rows) {
    const row = make("tr");
    row.append(...cells.map((cell) => make("td", "", cell ?? "")));
    whole.append(row);
  }
  return whole;
}

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

const schema = await (await fetch("/openapi.json")).json();
const schemas = schema.components.schemas;
document.getElementById("about").textContent = schema.info.description;
document.getElementById("example").textContent = `curl -F image=@photo.jpg ${location.origin}/v1/analyze`;
const groups = new Map();
for (const [path, operations] of Object.entries(schema.paths)) {
  for (const method of METHODS.filter((name) => operations[name])) {
    const tag = operations[method].tags?.[0] ?? "";
    groups.set(tag, [...(groups.get(tag) ?? []), article(method, path, operations[method])]);
  }
}
for (const [tag, articles] of groups) {
  document.getElementById("routes").append(make("h2", "", tag[0].toUpperCase() + tag.slice(1)), ...articles);
}
