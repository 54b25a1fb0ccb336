/** The keyboard shortcuts: one table for their actions and for the list in the help. */

import { recall, remember } from "../platform/preferences.js";
import { emit, h } from "./dom.js";
import { t } from "./i18n.js";
import { ZOOM_STEP } from "./visible-span.js";

/** @typedef {import("../app/song.js").Song} Song */

/**
 * The parts of the page that shortcuts act on.
 * @typedef {object} Page
 * @property {() => Song | null} song the selected one
 * @property {() => number} position in seconds
 * @property {(factor: number) => void} zoom
 */

/**
 * @typedef {object} Shortcut
 * @property {string} id of its text, `help.keys.<id>`
 * @property {string[]} keys as the help shows them: characters, or names for `help.keys.key.<name>`
 * @property {(event: KeyboardEvent) => boolean} matches
 * @property {(page: Page, song: Song, event: KeyboardEvent) => void} act
 */

const STEP_SECONDS = 5;

/** Preference that turns off single-character keys, for speech input (WCAG 2.1.4). */
const OFF_KEY = "keys-off";

/** Elements that use these keys themselves. */
const OWN_SPACE = "button, input, select, textarea, a, summary";
const OWN_ARROWS = "input, select, textarea";

/** @param {...string} keys */
const pressed =
  (...keys) =>
  (/** @type {KeyboardEvent} */ { key }) =>
    keys.includes(key.toLowerCase());

/** @param {string} type @param {unknown} [detail] */
const emitting = (type, detail) => () => emit(document.body, type, detail);

/** @type {Shortcut[]} */
const SHORTCUTS = [
  { id: "play", keys: ["space"], matches: pressed(" "), act: emitting("play-toggle") },
  { id: "seek", keys: ["←", "→"], matches: pressed("arrowleft", "arrowright"), act: seek },
  { id: "ends", keys: ["home", "end"], matches: pressed("home", "end"), act: seek },
  { id: "loop", keys: ["L"], matches: pressed("l"), act: emitting("loop-toggle") },
  { id: "region-start", keys: ["["], matches: pressed("["), act: emitting("region-edge", "start") },
  { id: "region-stop", keys: ["]"], matches: pressed("]"), act: emitting("region-edge", "stop") },
  { id: "region-clear", keys: ["escape"], matches: pressed("escape"), act: emitting("region-change", null) },
  { id: "original", keys: ["O"], matches: pressed("o"), act: emitting("original-toggle") },
  {
    id: "mute",
    keys: ["1", "…", "9"],
    matches: (event) => digit(event) > 0 && !event.shiftKey,
    act: toggle("muted"),
  },
  {
    id: "solo",
    keys: ["shift", "1", "…", "9"],
    matches: (event) => digit(event) > 0 && event.shiftKey,
    act: toggle("soloed"),
  },
  { id: "zoom", keys: ["+", "−"], matches: pressed("+", "=", "-"), act: zoom },
  { id: "whole", keys: ["0"], matches: pressed("0"), act: emitting("view-change", null) },
  { id: "picture", keys: ["S"], matches: pressed("s"), act: picture },
];

export function singleKeysAreOn() {
  return recall(OFF_KEY) !== "yes";
}

/** @param {boolean} on */
function setSingleKeys(on) {
  remember(OFF_KEY, on ? "no" : "yes");
}

/** @param {Page} page */
export function listenToKeys(page) {
  addEventListener("keydown", (event) => {
    const song = page.song();
    const shortcut = SHORTCUTS.find(({ matches }) => matches(event));
    if (!shortcut || !song || !isForPage(event, song)) return;
    event.preventDefault();
    shortcut.act(page, song, event);
  });
}

/**
 * True unless the focused element, an open dialog or the browser uses the key.
 * @param {KeyboardEvent} event
 * @param {Song} song
 */
function isForPage({ key, target, repeat, ctrlKey, metaKey, altKey }, { format, desk }) {
  const focus = target instanceof Element ? target : document.body;
  if (ctrlKey || metaKey || altKey || document.querySelector("dialog[open]")) return false;
  if (key === " ") return !repeat && !focus.closest(OWN_SPACE);
  if (key === "Escape") return desk.region !== null;
  if (key.length > 1) return format !== null && !focus.closest(OWN_ARROWS);
  return singleKeysAreOn() && !repeat;
}

/** The digit on the key, even with Shift, or 0. @param {KeyboardEvent} event */
function digit({ code }) {
  return Number(/^(?:Digit|Numpad)([1-9])$/.exec(code)?.[1] ?? 0);
}

/** @param {Page} page @param {Song} song @param {KeyboardEvent} event */
function seek({ position }, { duration }, { key }) {
  const seconds = {
    ArrowLeft: position() - STEP_SECONDS,
    ArrowRight: position() + STEP_SECONDS,
    Home: 0,
    End: duration,
  }[key];
  emit(document.body, "seek-seconds", seconds);
}

/** @param {Page} page @param {Song} _song @param {KeyboardEvent} event */
function zoom(page, _song, { key }) {
  page.zoom(key === "-" ? 1 / ZOOM_STEP : ZOOM_STEP);
}

/** @param {Page} _page @param {Song} song */
function picture(_page, { desk }) {
  emit(document.body, "picture-choose", desk.picture === "wave" ? "spectrogram" : "wave");
}

/** @param {"muted" | "soloed"} what @returns {Shortcut["act"]} */
function toggle(what) {
  return (_page, { stems, desk }, event) => {
    const stem = stems[digit(event) - 1]?.name;
    if (stem) emit(document.body, "strip-change", { stem, changes: { [what]: !desk.strips[stem][what] } });
  };
}

/** The list of shortcuts in the help, and the switch for single-character keys. */
class KeyList extends HTMLElement {
  connectedCallback() {
    const rows = SHORTCUTS.map(({ id, keys }) => keyRow(keys, t(`help.keys.${id}`)));
    const box = h("input", { type: "checkbox" });
    box.checked = singleKeysAreOn();
    box.addEventListener("change", () => setSingleKeys(box.checked));
    const gestures = [
      t("help.mouse.click"),
      t("help.mouse.drag"),
      t("help.mouse.wheel"),
      t("help.mouse.solo"),
      t("help.mouse.reset"),
    ];
    this.replaceChildren(
      h("dl", { class: "keys" }, ...rows, keyRow(["?"], t("help.keys.help"))),
      h("label", { class: "keys-switch" }, box, t("help.keys.switch")),
      h("h3", {}, t("help.mouse.title")),
      h("ul", { class: "mouse" }, ...gestures.map((text) => h("li", {}, text))),
    );
  }
}

/** @param {string[]} keys @param {string} text */
function keyRow(keys, text) {
  const shown = keys.map((key) =>
    key === "…" ? "…" : h("kbd", {}, key.length > 1 ? t(`help.keys.key.${key}`) : key),
  );
  return h("div", {}, h("dt", {}, ...shown), h("dd", {}, text));
}

customElements.define("key-list", KeyList);
