/**
 * The service worker: keeps the files of the site for use offline. The build puts `const site` before this
 * script, with every file of this version. The *shell* is kept when a version is installed, the *runtime* and the
 * *extras* when they are first used. A file is kept under its URL and the hash of its content: versions lie beside
 * each other, an update fetches only what has changed, and it takes over when the page asks for it.
 */

const CACHES = { shell: "demixer-shell", runtime: "demixer-runtime", extra: "demixer-runtime" };
const SHARED = "demixer-shared";

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const scope = registration.scope;
const at = (/** @type {string} */ path) => new URL(path, scope).href;
const keyOf = (/** @type {SiteFile} */ { url, revision }) => `${at(url)}?revision=${revision}`;
const cacheOf = (/** @type {SiteFile} */ { part }) => caches.open(CACHES[part]);
const withoutQuery = (/** @type {string} */ url) => url.split(/[?#]/)[0];

/** The files of this version, by URL. The page itself has two. */
const files = new Map(site.files.map((file) => [at(file.url), file]));
files.set(scope, /** @type {SiteFile} */ (files.get(at("index.html"))));

worker.addEventListener("install", (event) => {
  // Chromium may race the network against this worker for a page, which is kept here.
  event.addRoutes?.({ condition: { requestMode: "navigate" }, source: "fetch-event" });
  event.waitUntil(install());
});
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const file = files.get(withoutQuery(url));
  if (method === "POST" && url === at("share")) event.respondWith(takeShared(event.request));
  else if (method === "GET" && file) event.respondWith(answer(event, file));
});
worker.addEventListener("message", (event) => {
  if (event.data.type === "KEPT") event.waitUntil(reportKept(event.data.device, event.ports[0]));
  if (event.data.type === "SKIP_WAITING") void worker.skipWaiting();
});

/**
 * Keeps the shell, and the new versions of all files in use: a page that was ready for offline use stays so. A missing
 * or damaged file fails the installation, and the previous version stays.
 */
async function install() {
  const keys = await keptKeys();
  const used = new Set([...keys].map(withoutQuery));
  const devices = new Set(
    site.files.filter(({ part, url }) => part === "runtime" && used.has(at(url))).map(({ device }) => device),
  );
  const needed = site.files.filter(
    ({ part, url, device }) =>
      part === "shell" ||
      (part === "runtime" && devices.has(device)) ||
      (part === "extra" && used.has(at(url))),
  );
  const missing = needed.filter((file) => !keys.has(keyOf(file)));
  await Promise.all(
    missing.map(async (file) => (await cacheOf(file)).put(keyOf(file), await download(file))),
  );
}

/** Claims the open pages and drops the files of other versions. */
async function activate() {
  await worker.clients.claim();
  const current = new Set(site.files.map(keyOf));
  for (const name of new Set(Object.values(CACHES))) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) if (!current.has(request.url)) await cache.delete(request);
  }
}

/**
 * A file from its cache, else from the network and from now on from the cache.
 * @param {FetchEvent} event
 * @param {SiteFile} file
 */
async function answer(event, file) {
  const cache = await cacheOf(file);
  const kept = await cache.match(keyOf(file), { ignoreVary: true });
  if (kept) return withHeaders(file, kept, { "Server-Timing": "kept" }); // the page does not count it as a request
  try {
    const response = await download(file, event.request.signal);
    const copy = response.clone();
    event.waitUntil(cache.put(keyOf(file), copy).catch(() => {})); // the disk may be full
    return withHeaders(file, response);
  } catch (reason) {
    // The browser has evicted the page, and the host has a newer version of it.
    if (event.request.mode === "navigate") return fetch(event.request);
    throw reason;
  }
}

/**
 * @param {SiteFile} file
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>} its content, which the browser verifies
 */
async function download({ url, integrity }, signal) {
  const response = await fetch(at(url), { integrity, cache: "no-cache", signal });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

/**
 * The response with the headers of the site, where the host did not send them.
 * @param {SiteFile} file
 * @param {Response} response
 * @param {Record<string, string>} [more]
 */
function withHeaders({ url }, response, more = {}) {
  const path = url === "index.html" ? "/" : `/${url}`;
  const matching = site.headers.filter(([expression]) => new RegExp(expression).test(path));
  const headers = new Headers(Object.assign({}, ...matching.map(([, values]) => values)));
  for (const [name, value] of [...response.headers, ...Object.entries(more)]) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** The keys of all kept files, of any version. */
async function keptKeys() {
  const keys = new Set();
  for (const name of new Set(Object.values(CACHES))) {
    for (const { url } of await (await caches.open(name)).keys()) keys.add(url);
  }
  return keys;
}

/**
 * Songs that are shared to the app go to the page through a cache; neither they nor their names are sent anywhere.
 * @param {Request} request
 */
async function takeShared(request) {
  const cache = await caches.open(SHARED);
  for (const song of (await request.formData()).getAll("songs")) {
    if (!(song instanceof File)) continue;
    const headers = { "X-Name": encodeURIComponent(song.name) };
    await cache.put(at(`shared/${crypto.randomUUID()}`), new Response(song, { headers }));
  }
  return Response.redirect(at("./"), 303);
}

/**
 * Replies with the URLs that a device still needs to work offline, and with the bytes of what is kept.
 * @param {string} device
 * @param {MessagePort} port
 */
async function reportKept(device, port) {
  const keys = await keptKeys();
  const needed = site.files.filter(
    (file) => file.part !== "extra" && (!file.device || file.device === device),
  );
  const missing = needed.filter((file) => !keys.has(keyOf(file))).map((file) => at(file.url));
  const kept = site.files.filter((file) => keys.has(keyOf(file)));
  const bytes = (/** @type {SiteFile[]} */ some) => some.reduce((sum, file) => sum + file.bytes, 0);
  const shell = bytes(kept.filter(({ part }) => part === "shell"));
  port.postMessage({ missing, shell, runtime: bytes(kept) - shell });
}
