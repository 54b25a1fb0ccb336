/** What was chosen in the export dialog, kept for the next time. */

import { recallRecord, remember } from "../platform/preferences.js";
import { DEFAULT_PATTERN } from "./file-names.js";

const CHOICE_KEY = "export";

const DEFAULTS = { what: "mix", format: "wav", bits: "24", bitrate: "320", pattern: DEFAULT_PATTERN };

/** @typedef {typeof DEFAULTS} KeptChoice */

/** @returns {KeptChoice} */
export function recallChoice() {
  return { ...DEFAULTS, ...recallRecord(CHOICE_KEY) };
}

/** @param {KeptChoice} choice */
export function rememberChoice(choice) {
  remember(CHOICE_KEY, JSON.stringify(choice));
}
