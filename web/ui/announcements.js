/** Tells those who do not see the page what has come of a song, and of the engine. */

import { fallbackText } from "./fallback-text.js";
import { t } from "./i18n.js";
import { announce } from "./page-header.js";

/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */

/** What is worth saying aloud when a song comes to it. */
const SPOKEN = new Set(["ready", "done"]);

export class Announcements {
  /** @type {Map<string, Song["status"]>} */
  #told = new Map();
  /** @type {import("../engine/protocol.js").Fallback | null} */
  #toldFallback = null;

  /** @param {PageState} state */
  follow({ songs, engine: { fallback } }) {
    for (const song of songs) this.#tell(song);
    if (fallback && fallback !== this.#toldFallback) announce(fallbackText(fallback));
    this.#toldFallback = fallback;
  }

  /** @param {Song} song */
  #tell({ id, name, status, preview }) {
    if (this.#told.get(id) === status) return;
    const stopped = this.#told.get(id) === "working" && status === "ready";
    this.#told.set(id, status);
    if (stopped && preview) announce(t("status.preview", { song: name }));
    else if (stopped) announce(t("status.cancelled"));
    else if (SPOKEN.has(status)) announce(t(`status.${status}`, { song: name }));
  }
}
