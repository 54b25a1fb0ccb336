/**
 * Our part of the service worker, put before workbox's by `generate.mjs`, which also defines `site`: what it
 * keeps, and the response headers. Workbox keeps the shell and hands it out; this part
 * - names and checks the files of the runtime, which workbox keeps when they are first used,
 * - gives every response the headers of the site, for hosts that cannot,
 * - takes songs that are shared to the app,
 * - tells the page what is kept.
 */

const RUNTIME = "demixer-runtime";
const SHARED = "demixer-shared";

const worker = /** @type {ServiceWorkerGlobalScope & { runtime: object }} */ (/** @type {unknown} */ (self));
const scope = registration.scope;
const at = (/** @type {string} */ path) => new URL(path, scope).href;
const keyOf = (/** @type {SiteFile} */ { url, revision }) => `${at(url)}?__WB_REVISION__=${revision}`;
const runtime = new Map(site.runtime.map((file) => [at(file.url), file]));
const fileOf = (/** @type {string} */ url) => /** @type {SiteFile} */ (runtime.get(url));

/** For workbox: entries of the runtime are named by their content and verified before they are kept. */
worker.runtime = {
  has: (/** @type {string} */ url) => runtime.has(url),
  keyOf: (/** @type {string} */ url) => keyOf(fileOf(url)),
  checked: (/** @type {Request} */ request) =>
    new Request(request, { integrity: fileOf(request.url).integrity }),
};

// Who has used the runtime of the version before can do so offline; the new version is not offered without it.
worker.addEventListener("install", (event) => event.waitUntil(renewRuntime()));
worker.addEventListener("activate", (event) => event.waitUntil(dropOldRuntime()));

// Chromium may ask the network for a page while this worker starts; this worker has the page, and needs no race.
worker.addEventListener("install", (event) => {
  event.addRoutes?.({ condition: { requestMode: "navigate" }, source: "fetch-event" });
});

async function renewRuntime() {
  const cache = await caches.open(RUNTIME);
  const keys = new Set((await cache.keys()).map(({ url }) => url));
  const paths = new Set([...keys].map((url) => url.split("?")[0]));
  const used = new Set(site.runtime.filter(({ url }) => paths.has(at(url))).map(({ device }) => device));
  for (const file of site.runtime.filter((each) => used.has(each.device) && !keys.has(keyOf(each)))) {
    const request = new Request(at(file.url), { integrity: file.integrity, cache: "no-cache" });
    await cache.put(keyOf(file), await fetch(request));
  }
}

async function dropOldRuntime() {
  const cache = await caches.open(RUNTIME);
  const current = new Set(site.runtime.map(keyOf));
  for (const request of await cache.keys()) if (!current.has(request.url)) await cache.delete(request);
}

/** Responses that were not kept: the page's count of requests leaves the others out. */
const fetched = new WeakSet();
const fromNetwork = worker.fetch;
worker.fetch = async (...request) => {
  const response = await fromNetwork(...request);
  fetched.add(response);
  return response;
};

const { respondWith } = FetchEvent.prototype;
FetchEvent.prototype.respondWith = function (answer) {
  const { url } = this.request;
  respondWith.call(
    this,
    Promise.resolve(answer).then((response) => dressed(url, response)),
  );
};

/**
 * The response with the headers of the site where the host sent none.
 * @param {string} url
 * @param {Response} response
 */
function dressed(url, response) {
  if (response.type === "error" || (response.status >= 300 && response.status < 400)) return response;
  const path = `/${url.slice(scope.length).split(/[?#]/)[0]}`;
  const headers = new Headers();
  for (const [expression, values] of site.headers) {
    if (new RegExp(expression).test(path)) set(headers, Object.entries(values));
  }
  set(headers, response.headers);
  if (!fetched.has(response)) headers.set("Server-Timing", "kept");
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** @param {Headers} headers @param {Iterable<[string, string]>} values */
function set(headers, values) {
  for (const [name, value] of values) headers.set(name, value);
}

worker.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "POST" && url === at("share")) event.respondWith(takeShared(event.request));
});

/**
 * Songs shared to the app go to the page through a cache; neither they nor their names are sent anywhere.
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

worker.addEventListener("message", (event) => {
  if (event.data.type === "KEPT") event.waitUntil(tellKept(event.data.device, event.ports[0]));
});

/**
 * What a device needs of this site and is not kept, and the size of what is.
 * @param {string} device
 * @param {MessagePort} port
 */
async function tellKept(device, port) {
  const keys = new Set();
  for (const name of await caches.keys()) {
    for (const { url } of await (await caches.open(name)).keys()) keys.add(url);
  }
  const isKept = (/** @type {SiteFile} */ file) => keys.has(keyOf(file));
  const bytes = (/** @type {SiteFile[]} */ files) =>
    files.filter(isKept).reduce((sum, file) => sum + file.bytes, 0);
  const needed = [...site.shell, ...site.runtime.filter((file) => !file.device || file.device === device)];
  const missing = needed.filter((file) => !isKept(file)).map((file) => at(file.url));
  port.postMessage({ missing, shell: bytes(site.shell), runtime: bytes(site.runtime) });
}
