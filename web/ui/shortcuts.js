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
 * @property {(key: string, event: KeyboardEvent) => boolean} matches a key as `keyOf` names it
 * @property {(page: Page, song: Song, event: KeyboardEvent) => void} act
 */

const STEP_SECONDS = 5;
const FINE_STEP_SECONDS = 0.1;

/** Preference that turns off single-character keys, for speech input (WCAG 2.1.4). */
const OFF_KEY = "keys-off";

/** Elements that use these keys themselves. */
const OWN_SPACE = "button, input, select, textarea, a, summary";
const OWN_ARROWS = "input, select, textarea";
/** A list is searched by what is typed, and closed with Escape. */
const OWN_CHARACTERS = "select, textarea, input[type=text]";

/** @param {...string} keys */
const pressed =
  (...keys) =>
  (/** @type {string} */ key) =>
    keys.includes(key);

/** @param {string} type @param {unknown} [detail] */
const emitting = (type, detail) => () => emit(document.body, type, detail);

/** @type {Shortcut[]} */
const SHORTCUTS = [
  { id: "play", keys: ["space"], matches: pressed(" "), act: emitting("play-toggle") },
  {
    id: "seek",
    keys: ["←", "→"],
    matches: (key, { shiftKey }) => !shiftKey && ["arrowleft", "arrowright"].includes(key),
    act: seek,
  },
  {
    id: "step",
    keys: ["shift", "←", "→"],
    matches: (key, { shiftKey }) => shiftKey && ["arrowleft", "arrowright"].includes(key),
    act: seek,
  },
  { id: "ends", keys: ["home", "end"], matches: pressed("home", "end"), act: seek },
  { id: "loop", keys: ["L"], matches: pressed("l"), act: emitting("loop-toggle") },
  {
    id: "region-start",
    keys: ["[", "A"],
    matches: pressed("[", "a"),
    act: emitting("region-edge", "start"),
  },
  { id: "region-stop", keys: ["]", "B"], matches: pressed("]", "b"), act: emitting("region-edge", "stop") },
  { id: "region-clear", keys: ["escape"], matches: pressed("escape"), act: emitting("region-change", null) },
  { id: "original", keys: ["O"], matches: pressed("o"), act: emitting("original-toggle") },
  {
    id: "mute",
    keys: ["1", "…", "9"],
    matches: (_, event) => digit(event) > 0 && !event.shiftKey,
    act: toggle("muted"),
  },
  {
    id: "solo",
    keys: ["shift", "1", "…", "9"],
    matches: (_, event) => digit(event) > 0 && event.shiftKey,
    act: toggle("soloed"),
  },
  { id: "zoom", keys: ["+", "−"], matches: pressed("+", "=", "-"), act: zoom },
  { id: "whole", keys: ["0"], matches: pressed("0"), act: emitting("view-change", null) },
  { id: "picture", keys: ["S"], matches: pressed("s"), act: picture },
];

function singleKeysAreOn() {
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
    const key = keyOf(event);
    const shortcut = key && SHORTCUTS.find(({ matches }) => matches(key, event));
    if (!shortcut || !song || !isForPage(key, event, song)) return;
    event.preventDefault();
    shortcut.act(page, song, event);
  });
}

/**
 * The key of an event: a small letter, another character, or a name such as `arrowleft`. A key that types no ASCII
 * character is what it is on a US keyboard, so every layout has letters and brackets.
 * @param {KeyboardEvent} event
 * @returns {string} empty while a character is composed, and for events that are not a key's, as of autofill
 */
export function keyOf({ key = "", code = "", isComposing }) {
  if (isComposing || key === "Process") return "";
  const isPlain = key === "Dead" ? false : key.length !== 1 || key.charCodeAt(0) < 0x80;
  const onUsKeyboard = { BracketLeft: "[", BracketRight: "]" }[code] ?? /^Key([A-Z])$/.exec(code)?.[1];
  return (isPlain ? key : (onUsKeyboard ?? key)).toLowerCase();
}

/**
 * True unless the focused element, an open dialog or the browser uses the key.
 * @param {string} key
 * @param {KeyboardEvent} event
 * @param {Song} song
 */
function isForPage(key, event, { format, desk }) {
  const { target, repeat } = event;
  const focus = target instanceof Element ? target : document.body;
  if (isChord(event) || document.querySelector("dialog[open]")) return false;
  if (key === " ") return !repeat && !focus.closest(OWN_SPACE);
  if (key === "escape") return desk.region !== null && !focus.closest(OWN_CHARACTERS);
  if (key.length > 1) return format !== null && !focus.closest(OWN_ARROWS);
  return isCharacterForPage(event);
}

/** True when a character is a shortcut where it was typed. @param {KeyboardEvent} event */
export function isCharacterForPage({ target, repeat }) {
  const focus = target instanceof Element ? target : document.body;
  return singleKeysAreOn() && !repeat && !focus.closest(OWN_CHARACTERS);
}

/** True for a shortcut of the browser. Many keyboards type brackets with Alt or AltGr, which counts as Ctrl + Alt. @param {KeyboardEvent} event */
function isChord({ key, ctrlKey, metaKey, altKey }) {
  const isBracket = altKey && !metaKey && ["[", "]"].includes(key);
  return (ctrlKey || metaKey || altKey) && !isBracket;
}

/** The digit on a key that types a character, even with Shift, or 0. @param {KeyboardEvent} event */
function digit({ key, code, altKey }) {
  if (altKey || key.length !== 1) return 0; // with AltGr it may be a bracket, without Num Lock an arrow
  return Number(/^(?:Digit|Numpad)([1-9])$/.exec(code)?.[1] ?? 0);
}

/** @param {Page} page @param {Song} song @param {KeyboardEvent} event */
function seek({ position }, { duration }, { key, shiftKey }) {
  const step = shiftKey ? FINE_STEP_SECONDS : STEP_SECONDS;
  const seconds = {
    ArrowLeft: position() - step,
    ArrowRight: position() + step,
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
