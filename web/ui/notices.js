/**
 * Short notices with their buttons: songs in memory, a song of which a part is missing, an unfinished separation, a
 * removed song, and a new version of the page.
 */

import { isAtWork } from "../app/state.js";
import { emit, h, setText } from "./dom.js";
import { approximateTime, percent } from "./format.js";
import { t } from "./i18n.js";
import { modelLabel } from "./texts.js";

/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../engine/protocol.js").Model} Model */

/** Says that the songs of this window are in memory alone. */
export class MemoryNotice extends HTMLElement {
  #text = h("p");

  connectedCallback() {
    this.setAttribute("role", "status");
    this.append(this.#text);
  }

  /** @param {PageState} state */
  render({ songs }) {
    const isInMemory = songs.some(({ format, folder }) => format && folder === null);
    this.hidden = !isInMemory;
    setText(this.#text, isInMemory ? t("memory.text") : "");
  }
}

/** Says that a song's file lacks a part of it. */
export class LossNotice extends HTMLElement {
  #text = h("p");

  connectedCallback() {
    this.setAttribute("role", "status");
    this.append(this.#text);
  }

  /** @param {Song | null} song */
  render(song) {
    const loss = song?.loss ?? null;
    this.hidden = !loss;
    setText(this.#text, loss ? lossText(loss) : "");
  }
}

/** @param {import("../app/song.js").Loss} loss */
function lossText({ seconds }) {
  if (seconds === null || seconds < 1) return t("loss.part");
  const time = approximateTime(Math.round(seconds));
  return t("loss.time", { time });
}

/** Offers to continue or discard a separation that was interrupted: `song-resume` or `song-discard`. */
export class UnfinishedNotice extends HTMLElement {
  #text = h("p");
  #resume = h("button", { type: "button", class: "primary" }, t("action.resume"));
  #discard = h("button", { type: "button" }, t("action.discard"));
  /** @type {Song | null} */
  #song = null;

  connectedCallback() {
    this.#resume.addEventListener("click", () => emit(this, "song-resume", this.#song?.id));
    this.#discard.addEventListener("click", () => emit(this, "song-discard", this.#song?.id));
    this.append(this.#text, h("div", { class: "actions" }, this.#resume, this.#discard));
  }

  /**
   * @param {Song | null} song
   * @param {Model[]} models
   */
  render(song, models) {
    const { unfinished = null, status = "" } = song ?? {};
    const model = models.find(({ id }) => id === unfinished?.model);
    this.#song = song;
    this.hidden = !unfinished || !model || status !== "ready";
    if (!unfinished || !model) return;
    const quality = Object.keys(model.presets).length > 1 ? `, ${t(`quality.${unfinished.preset}`)}` : "";
    const facts = { percent: percent(unfinished.fraction), model: modelLabel(model) + quality };
    setText(this.#text, t("unfinished.text", facts));
  }

  focusResume() {
    this.#resume.focus();
  }
}

/** Offers to restore the song that was removed last: `song-undo`. */
export class UndoNotice extends HTMLElement {
  #text = h("span");
  #undo = h("button", { type: "button", onclick: () => emit(this, "song-undo") }, t("action.undo"));

  connectedCallback() {
    this.setAttribute("role", "status");
    this.append(this.#text, this.#undo);
  }

  /** @param {Song | null} song */
  render(song) {
    this.hidden = !song;
    setText(this.#text, song ? t("song.removed", { song: song.name }) : "");
  }
}

/** Offers to install a new version, or to reload: `update-apply`. */
export class UpdateBanner extends HTMLElement {
  #text = h("p", { role: "status" });
  #button = h("button", { type: "button", onclick: () => emit(this, "update-apply") });

  connectedCallback() {
    this.append(this.#text, this.#button);
  }

  /** @param {PageState} state */
  render(state) {
    const { update, songs } = state;
    this.hidden = update === null;
    if (!update) return;
    const busy = isAtWork(state);
    const losesSongs = songs.some(({ folder }) => folder === null); // only stored songs survive a reload
    const advice = busy ? t("update.busy") : losesSongs ? t("update.loss") : "";
    setText(this.#text, `${t(`update.${update}`)} ${update === "queued" ? "" : advice}`.trim());
    setText(this.#button, t(update === "waiting" ? "update.apply" : "update.reload"));
    this.#button.hidden = update === "queued";
    this.#button.disabled = busy;
  }
}

customElements.define("memory-notice", MemoryNotice);
customElements.define("loss-notice", LossNotice);
customElements.define("unfinished-notice", UnfinishedNotice);
customElements.define("undo-notice", UndoNotice);
customElements.define("update-banner", UpdateBanner);
