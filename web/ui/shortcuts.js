/** The keys of the page, in one table: what they do, and how the help lists them. */

import { recall, remember } from "../platform/preferences.js";
import { tell } from "./dom.js";
import { ZOOM_STEP } from "./time-view.js";

/** @typedef {import("../app/song.js").Song} Song */

/**
 * What shortcuts act upon.
 * @typedef {object} Page
 * @property {() => Song | null} song that is shown
 * @property {() => number} position in seconds
 * @property {(factor: number) => void} zoom
 */

/**
 * @typedef {object} Shortcut
 * @property {string} id of its text, `help.keys.<id>`
 * @property {string[]} keys as they are shown: characters, or names of `help.keys.key.<name>`
 * @property {(event: KeyboardEvent) => boolean} is
 * @property {(page: Page, song: Song, event: KeyboardEvent) => void} act
 */

const STEP_SECONDS = 5;

/** Where single keys are switched off, for those who speak or stumble over them. */
const OFF_KEY = "keys-off";

/** Elements that mean something else by these keys. */
const OWN_SPACE = "button, input, select, textarea, a, summary";
const OWN_ARROWS = "input, select, textarea";

/** @param {...string} keys */
const pressed =
  (...keys) =>
  (/** @type {KeyboardEvent} */ { key }) =>
    keys.includes(key.toLowerCase());

/** @param {string} type @param {unknown} [detail] */
const telling = (type, detail) => () => tell(document.body, type, detail);

/** @type {Shortcut[]} */
export const SHORTCUTS = [
  { id: "play", keys: ["space"], is: pressed(" "), act: telling("play-toggle") },
  { id: "seek", keys: ["←", "→"], is: pressed("arrowleft", "arrowright"), act: seek },
  { id: "ends", keys: ["home", "end"], is: pressed("home", "end"), act: seek },
  { id: "loop", keys: ["L"], is: pressed("l"), act: telling("loop-toggle") },
  { id: "region-start", keys: ["["], is: pressed("["), act: telling("region-edge", "start") },
  { id: "region-stop", keys: ["]"], is: pressed("]"), act: telling("region-edge", "stop") },
  { id: "region-clear", keys: ["escape"], is: pressed("escape"), act: telling("region-change", null) },
  { id: "original", keys: ["O"], is: pressed("o"), act: telling("original-toggle") },
  {
    id: "mute",
    keys: ["1", "…", "9"],
    is: (event) => digit(event) > 0 && !event.shiftKey,
    act: toggle("muted"),
  },
  {
    id: "solo",
    keys: ["shift", "1", "…", "9"],
    is: (event) => digit(event) > 0 && event.shiftKey,
    act: toggle("soloed"),
  },
  { id: "zoom", keys: ["+", "−"], is: pressed("+", "=", "-"), act: zoom },
  { id: "whole", keys: ["0"], is: pressed("0"), act: telling("view-change", null) },
  { id: "picture", keys: ["S"], is: pressed("s"), act: picture },
];

/** Whether single keys do something. */
export function keysAreOn() {
  return recall(OFF_KEY) !== "yes";
}

/** @param {boolean} on */
export function switchKeys(on) {
  remember(OFF_KEY, on ? "no" : "yes");
}

/** @param {Page} page */
export function listenToKeys(page) {
  addEventListener("keydown", (event) => {
    const song = page.song();
    const shortcut = SHORTCUTS.find(({ is }) => is(event));
    if (!shortcut || !song || !isMeant(event, song)) return;
    event.preventDefault();
    shortcut.act(page, song, event);
  });
}

/**
 * Whether a key is for the page, rather than for what has the focus or for the browser.
 * @param {KeyboardEvent} event
 * @param {Song} song
 */
function isMeant({ key, target, repeat, ctrlKey, metaKey, altKey }, { format, desk }) {
  const focus = target instanceof Element ? target : document.body;
  if (ctrlKey || metaKey || altKey || document.querySelector("dialog[open]")) return false;
  if (key === " ") return !repeat && !focus.closest(OWN_SPACE);
  if (key === "Escape") return desk.region !== null;
  if (key.length > 1) return format !== null && !focus.closest(OWN_ARROWS);
  return keysAreOn() && !repeat;
}

/** The digit whatever else its key says with shift held down. @param {KeyboardEvent} event */
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
  tell(document.body, "seek-seconds", seconds);
}

/** @param {Page} page @param {Song} _song @param {KeyboardEvent} event */
function zoom(page, _song, { key }) {
  page.zoom(key === "-" ? 1 / ZOOM_STEP : ZOOM_STEP);
}

/** @param {Page} _page @param {Song} song */
function picture(_page, { desk }) {
  tell(document.body, "picture-choose", desk.picture === "wave" ? "spectrogram" : "wave");
}

/** @param {"muted" | "soloed"} what @returns {Shortcut["act"]} */
function toggle(what) {
  return (_page, { stems, desk }, event) => {
    const stem = stems[digit(event) - 1]?.name;
    if (stem) tell(document.body, "strip-change", { stem, changes: { [what]: !desk.strips[stem][what] } });
  };
}
