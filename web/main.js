/** The entry of the page: creates its parts, connects them, and lists all intents of the user. */

import { DeskController } from "./app/desk-controller.js";
import { DeviceCheckController } from "./app/device-check-controller.js";
import { DeviceController } from "./app/device-controller.js";
import { EngineController } from "./app/engine-controller.js";
import { ExportController } from "./app/export-controller.js";
import { MediaController } from "./app/media-controller.js";
import { ModelController } from "./app/model-controller.js";
import { OfflineController } from "./app/offline-controller.js";
import { SongController } from "./app/song-controller.js";
import { Songs } from "./app/songs.js";
import { Spectrograms } from "./app/spectrograms.js";
import { initialState, isIdle, selectedSong } from "./app/state.js";
import { Store } from "./app/store.js";
import { UpdateController } from "./app/update-controller.js";
import { watchRequests } from "./base/requests.js";
import { EngineClient } from "./engine/page/client.js";
import { KnownDevices } from "./engine/page/known-devices.js";
import { chosenFiles } from "./platform/dropped-files.js";
import { onLaunch } from "./platform/launch.js";
import { canNotify, wantNotifications } from "./platform/notification.js";
import { ServiceWorkerClient } from "./platform/service-worker-client.js";
import { askToPersist } from "./platform/storage.js";
import { Transport } from "./playback/page/transport.js";
import { Announcer } from "./ui/announcer.js";
import { Attention } from "./ui/attention.js";
import { onLanguageChange, translate } from "./ui/i18n.js";
import { setUpHeader } from "./ui/page-header.js";
import { PageView, rebuildElements } from "./ui/page-view.js";
import { betweenPresses } from "./ui/presses.js";
import { listenToKeys } from "./ui/shortcuts.js";
import { partLabel } from "./ui/stems.js";

/** Interval at which progress is drawn between marks. */
const TICK_MS = 250;

const store = new Store(initialState());
const songs = new Songs(store);
const devices = new KnownDevices();
const engine = new EngineClient({ devices });
const transport = new Transport();
const spectrograms = new Spectrograms(engine, store);
const serviceWorker = new ServiceWorkerClient();
const settled = serviceWorker.register();

const engineController = new EngineController(engine, store, settled);
const deviceController = new DeviceController(engine, store, devices, () => void engineController.warm());
const deviceCheckController = new DeviceCheckController(store, engine);
const songController = new SongController(store, songs, engine, settled);
const deskController = new DeskController(store, songs, transport);
const exportController = new ExportController(store, songs);
const offlineController = new OfflineController(store, serviceWorker, engine);
const modelController = new ModelController(store, offlineController, () => deviceController.useLess());
const updateController = new UpdateController(store, serviceWorker, offlineController);

/**
 * All intents of the user, by the event that an element emits.
 * @type {Record<string, (detail: any) => void>}
 */
const INTENTS = {
  "songs-chosen": chooseSongs,
  "link-dropped": () => store.set({ arrival: "link" }),
  "song-select": selectSong,
  "song-move": ({ id, by }) => songController.move(id, by),
  "song-resume": (/** @type {string} */ id) => songController.resume(id),
  "song-cancel": (/** @type {string} */ id) => songController.cancel(id),
  "song-discard": (/** @type {string} */ id) => void songController.discard(id),
  "song-remove": (/** @type {string} */ id) => songController.remove(id),
  "song-undo": () => songController.undo(),
  "song-erase": (/** @type {string} */ id) => void songController.erase(id),
  separate: () => {
    askToPersist();
    songController.separate();
  },
  "region-preview": () => songController.preview(),

  "model-choose": (/** @type {string} */ id) => modelController.choose(id),
  "preset-choose": (/** @type {string} */ preset) => modelController.choosePreset(preset),
  "device-choose": (/** @type {string} */ choice) => deviceController.choose(choice),
  "device-check": () => void deviceCheckController.run(),
  "about-open": () => void modelController.loadQuality(),

  ...deskController.intents,

  "stem-download": (/** @type {import("./library/track.js").Track} */ stem) =>
    withSong((song) => exportController.downloadStem(song, stem, label)),
  "download-all": () => withSong((song) => void exportController.downloadAll(song, label)),
  "null-test": () => withSong((song) => void exportController.measure(song)),
  "export-open": () => withSong((song) => exportController.open(song)),
  "export-write": ({ plan, name }) => void exportController.write(plan, name),
  "export-cancel": () => exportController.cancel(),
  "export-close": () => exportController.close(),

  "offline-prepare": (/** @type {string | undefined} */ id) => {
    askToPersist();
    void offlineController.prepare(store.state.models.find((model) => model.id === id));
  },
  "offline-cancel": () => offlineController.cancel(),
  "storage-open": () => void offlineController.check(),
  "storage-remove": (/** @type {string} */ what) => void removeStored(what),
  "update-apply": () => void updateController.apply(),
  "notify-toggle": () => void wantNotifications(!canNotify()).then(() => store.touch()),
  "page-retry": retry,
};

translate(document);
setUpHeader();
const announcer = new Announcer();
let view = new PageView(transport, spectrograms);
const draw = betweenPresses(() => {
  view.render(store.state);
  announcer.follow(store.state);
});
store.subscribe((state) => {
  transport.load(selectedSong(state));
  draw();
});
new Attention(store);
new MediaController(store, transport, deskController.intents["seek-seconds"], selectSong);
onLanguageChange(() => {
  rebuildElements();
  view = new PageView(transport, spectrograms);
  store.touch();
});
transport.addEventListener("change", () => view.follow(selectedSong(store.state)));
setInterval(() => {
  if (songs.all.some(({ status }) => status === "working")) store.touch();
}, TICK_MS);

for (const [type, act] of Object.entries(INTENTS)) {
  addEventListener(type, (event) => act(/** @type {CustomEvent} */ (event).detail));
}
listenToKeys({
  song: () => selectedSong(store.state),
  position: () => transport.position,
  zoom: (factor) => view.zoom(factor),
});

void modelController.load();
void songs.restore().then(warmForSelected);
void onLaunch((files) => chooseSongs(chosenFiles(files)));
engine.addEventListener("model.unkept", (event) =>
  offlineController.warn(/** @type {CustomEvent} */ (event).detail),
);
watchRequests(countRequests);

/** After an error of the page: loads the models, starts the engine, and goes on with the songs that it has stopped. */
function retry() {
  const code = store.state.engine.error?.code;
  store.set({ problem: null });
  void modelController.load();
  void engineController.warm();
  for (const { id, error } of songs.all) if (error && error.code === code) songController.resume(id);
}

/** @param {import("./platform/dropped-files.js").FoundFile[]} found */
function chooseSongs(found) {
  void songController.add(found);
  store.set({ requests: [] });
  void engineController.warm();
}

/** @param {string} selected */
function selectSong(selected) {
  store.set({ selected });
  warmForSelected();
}

/** Starts the engine early if the selected song is not separated yet. */
function warmForSelected() {
  withSong(({ status }) => status !== "done" && void engineController.warm());
}

/** @param {(song: import("./app/song.js").Song) => void} act */
function withSong(act) {
  const song = selectedSong(store.state);
  if (song) act(song);
}

/** @param {string} part a stem, or `mix` */
function label(part) {
  return partLabel(part, store.state.catalogue);
}

/** @param {string} what the id of a song or model, or a part of the page itself */
async function removeStored(what) {
  const chosen = songs.all.filter(({ id }) => id === what || what === "everything");
  for (const { id } of chosen) await songController.erase(id);
  // An engine that is awake measures devices while the page is idle, and its files would be kept again.
  if (what === "everything" || (what === "runtime" && isIdle(store.state))) engineController.sleep();
  await offlineController.remove(what);
}

/** @param {string[]} urls that the page or a worker has requested */
function countRequests(urls) {
  store.set({ requests: [...store.state.requests, ...urls] });
}
