/** Announces to screen readers that a song is ready, done or cancelled, and that the engine fell back. */

import { setText } from "./dom.js";
import { t } from "./i18n.js";
import { fallbackText } from "./texts.js";

/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */

/** The states that are announced when a song reaches them. */
const ANNOUNCED = new Set(["ready", "done"]);

export class Announcer {
  #region = /** @type {HTMLElement} */ (document.getElementById("status"));
  /** The last state of each song, by its id. @type {Map<string, Song["status"]>} */
  #statuses = new Map();
  /** @type {import("../engine/protocol.js").Fallback | null} */
  #fallback = null;

  /** @param {PageState} state */
  follow({ songs, engine: { fallback } }) {
    for (const song of songs) this.#followSong(song);
    if (fallback && fallback !== this.#fallback) this.#announce(fallbackText(fallback));
    this.#fallback = fallback;
  }

  /** @param {Song} song */
  #followSong({ id, name, status, preview }) {
    const before = this.#statuses.get(id);
    if (before === status) return;
    this.#statuses.set(id, status);
    const stopped = before === "working" && status === "ready";
    if (stopped && preview) this.#announce(t("status.preview", { song: name }));
    else if (stopped) this.#announce(t("status.cancelled"));
    else if (ANNOUNCED.has(status)) this.#announce(t(`status.${status}`, { song: name }));
  }

  /** @param {string} text */
  #announce(text) {
    setText(this.#region, text);
  }
}
