// The service worker: keeps the site's files, so that the page opens without a network. Where it is asked to, it isolates the
// page from others, so that WebAssembly may run on several threads.

/**
 * The site's files, a version that changes with any of them, and whether the page is isolated. `facemood web` writes them.
 * @type {{ version: string, files: string[], isolate: boolean }}
 */
const SITE = { "version": "", "files": [], "isolate": false };

/** Headers by which a page is isolated from others (cross-origin isolation); hosts of static files rarely send them. */
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** Folder of the networks and their runtime, whose names change with what is in them. */
const ENGINE = "/engine/";

/** Start of the names of caches, and the one of this version. */
const CACHES = `facemood ${registrationScope()} `;
const CACHE = CACHES + SITE.version;

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** Several sites may share an origin, and each keeps its own files. */
function registrationScope() {
  return new URL("./", self.location.href).pathname;
}

worker.addEventListener("install", (event) => {
  event.waitUntil(keepAll().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(forgetOlder().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin) return;
  const answer = pathname.includes(ENGINE) ? keptFirst(event.request) : newestFirst(event.request);
  event.respondWith(SITE.isolate ? answer.then(isolated) : answer);
});

/**
 * Add the headers that isolate a page and its workers.
 * @param {globalThis.Response} answer
 */
function isolated(answer) {
  const headers = new Headers(answer.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  const { status, statusText } = answer;
  return new Response([204, 304].includes(status) ? null : answer.body, { status, statusText, headers });
}

/** Keep all files. Those of the engine that an older version has kept are not loaded again. */
async function keepAll() {
  const cache = await caches.open(CACHE);
  await Promise.all(["./", ...SITE.files].map(async (path) => {
    const older = `/${path}`.includes(ENGINE) ? await caches.match(path) : undefined;
    await cache.put(path, older ?? (await loaded(path)));
  }));
}

/**
 * Load a file past the browser's own cache, so that no two versions are mixed.
 * @param {string} path
 */
async function loaded(path) {
  const answer = await fetch(path, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${path} is missing (${answer.status})`);
  return answer;
}

async function forgetOlder() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(CACHES) && name !== CACHE).map((name) => caches.delete(name)));
}

/**
 * The engine's files never change. Those that only some browsers need are kept when they are first asked for.
 * @param {globalThis.Request} request
 */
async function keptFirst(request) {
  const found = await kept(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone());
  return answer;
}

/** @param {globalThis.Request} request */
async function newestFirst(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const found = await kept(request);
    if (found) return found;
    throw error;
  }
}

/** @param {globalThis.Request} request */
async function kept(request) {
  return (await caches.open(CACHE)).match(request, { ignoreSearch: true });
}
