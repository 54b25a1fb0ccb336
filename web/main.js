/** Puts the page together: state, engine, songs, playback and the elements that show them. */

import { DeskControls } from "./app/desk-controls.js";
import { DeviceCheck } from "./app/device-check.js";
import { DeviceController } from "./app/device-controller.js";
import { downloadStem, planForAll } from "./app/downloads.js";
import { EngineStatus } from "./app/engine-status.js";
import { ExportController } from "./app/export-controller.js";
import { Offline } from "./app/offline.js";
import { SongController } from "./app/song-controller.js";
import { Songs } from "./app/songs.js";
import { Spectrograms } from "./app/spectrograms.js";
import { initialState, selectedSong } from "./app/state.js";
import { Store } from "./app/store.js";
import { Updates } from "./app/updates.js";
import { describe } from "./base/errors.js";
import { watchRequests } from "./base/requests.js";
import { KnownDevices } from "./engine/devices/known-devices.js";
import { EngineClient } from "./engine/page/client.js";
import { onLaunch } from "./platform/launch.js";
import { loadModels } from "./platform/models.js";
import { canNotify, wantNotifications } from "./platform/notification.js";
import { recall, remember } from "./platform/preferences.js";
import { loadQuality } from "./platform/quality.js";
import { ServiceWorkerClient } from "./platform/service-worker-client.js";
import { Transport } from "./playback/page/transport.js";
import { Announcer } from "./ui/announcer.js";
import { Attention } from "./ui/attention.js";
import { onLanguageChange, translate } from "./ui/i18n.js";
import { setUpHeader } from "./ui/page-header.js";
import { PageView, rebuildElements } from "./ui/page-view.js";
import { listenToKeys } from "./ui/shortcuts.js";
import { partLabel } from "./ui/stems.js";

/** Between true marks the progress is drawn this often. */
const TICK_MS = 250;

const MODEL_KEY = "model";

const store = new Store(initialState());
const devices = new KnownDevices();
const engine = new EngineClient({ devices });
const watch = new EngineStatus(engine, store);
const deviceController = new DeviceController(engine, store, devices, () => void watch.warm());
const deviceCheck = new DeviceCheck(store, engine);
const songs = new Songs(store);
const songController = new SongController(store, songs, engine);
const deck = new Transport();
const controls = new DeskControls(store, songs, deck);
const exportController = new ExportController(store, songs);
const serviceWorker = new ServiceWorkerClient();
const offline = new Offline(store, serviceWorker, engine);
new Attention(store);
const updates = new Updates(store, serviceWorker, offline);

translate(document);
setUpHeader();
const announcer = new Announcer();
const spectra = new Spectrograms(engine, store);
let view = new PageView(deck, spectra);
store.subscribe((state) => {
  deck.load(selectedSong(state));
  view.render(state);
  announcer.follow(state);
});
onLanguageChange(() => {
  rebuildElements();
  view = new PageView(deck, spectra);
  store.touch();
});
deck.addEventListener("change", () => view.follow(selectedSong(store.state)));
setInterval(() => {
  if (store.state.songs.some(({ status }) => status === "working")) store.touch();
}, TICK_MS);
void offerModels();
void songs.restore().then(warmForSelected);
void serviceWorker.register();
void onLaunch((files) => reactions["songs-chosen"](files));
engine.addEventListener("model.unkept", (event) => offline.warn(/** @type {CustomEvent} */ (event).detail));
watchRequests(count);

/** @param {string[]} urls that a page or a worker has asked for */
function count(urls) {
  store.set({ requests: [...store.state.requests, ...urls] });
}

async function offerModels() {
  try {
    const { models, catalogue } = await loadModels();
    const wanted = new URLSearchParams(location.search).get("model") ?? recall(MODEL_KEY);
    const model = models.find(({ id }) => id === wanted) ?? models[0];
    store.set({ models, catalogue, model, problem: null });
    void offline.prune(models);
  } catch (reason) {
    store.set({ problem: { ...describe(reason), code: "model/network", retryable: true } });
  }
}

async function offerQuality() {
  try {
    store.set({ quality: store.state.quality ?? (await loadQuality()) });
  } catch {
    // Another try when the panel is opened the next time.
  }
}

/**
 * What the elements tell, and what follows from it.
 * @type {Record<string, (detail: any) => void>}
 */
const reactions = {
  "songs-chosen": (/** @type {File[]} */ files) => {
    void songController.add(files);
    store.set({ requests: [] });
    void watch.warm();
  },
  "song-select": (/** @type {string} */ selected) => {
    store.set({ selected });
    warmForSelected();
  },
  "song-remove": (/** @type {string} */ id) => songController.remove(id),
  "song-move": (/** @type {{ id: string, by: number }} */ { id, by }) => songController.move(id, by),
  "song-resume": (/** @type {string} */ id) => songController.resume(id),
  "song-undo": () => songController.undo(),
  "song-erase": (/** @type {string} */ id) => void songController.erase(id),
  "song-discard": (/** @type {string} */ id) => void songController.discard(id),
  "page-retry": () => {
    void offerModels();
    void watch.warm();
  },
  "song-cancel": (/** @type {string} */ id) => songController.cancel(id),
  "model-choose": (/** @type {string} */ id) => {
    remember(MODEL_KEY, id);
    store.set({ model: store.state.models.find((model) => model.id === id) ?? null });
  },
  "about-open": () => void offerQuality(),
  "device-check": () => void deviceCheck.run(),
  "device-choose": (/** @type {string} */ choice) => deviceController.choose(choice),
  "preset-choose": (/** @type {string} */ preset) => store.set({ preset }),
  separate: () => songController.separate(),
  "region-preview": () => songController.preview(),
  "update-apply": () => void updates.apply(),
  "offline-prepare": (/** @type {string | undefined} */ id) =>
    void offline.prepare(store.state.models.find((model) => model.id === id)),
  "offline-cancel": () => offline.cancel(),
  "storage-open": () => void offline.check(),
  "storage-remove": (/** @type {string} */ what) => void removeKept(what),
  "stem-download": (/** @type {import("./library/track.js").Track} */ stem) =>
    withSong((song) => downloadStem(song, stem)),
  "notify-toggle": () => void wantNotifications(!canNotify()).then(() => store.touch()),
  "download-all": () => withSong(downloadAll),
  "null-test": () => withSong((song) => void exportController.measure(song)),
  "export-open": () => withSong((song) => exportController.open(song)),
  "export-write": ({ plan, name }) => void exportController.write(plan, name),
  "export-cancel": () => exportController.cancel(),
  "export-close": () => exportController.close(),
};
for (const [type, react] of Object.entries({ ...reactions, ...controls.reactions })) {
  addEventListener(type, (event) => react(/** @type {CustomEvent} */ (event).detail));
}
listenToKeys({
  song: () => selectedSong(store.state),
  position: () => deck.position,
  zoom: (factor) => view.zoom(factor),
});

/** A song that is not finished is about to be. */
function warmForSelected() {
  withSong(({ status }) => status !== "done" && void watch.warm());
}

/** @param {(song: import("./app/song.js").Song) => void} act */
function withSong(act) {
  const song = selectedSong(store.state);
  if (song) act(song);
}

/** @param {import("./app/song.js").Song} song */
function downloadAll(song) {
  const { catalogue } = store.state;
  const { plan, name } = planForAll(song, (part) => partLabel(part, catalogue), catalogue);
  void exportController.download(song, plan, name);
}

/** @param {string} what the id of a song, or a part of the page itself */
async function removeKept(what) {
  const chosen = store.state.songs.filter(({ id }) => id === what || what === "everything");
  for (const { id } of chosen) await songController.erase(id);
  await offline.remove(what);
}
