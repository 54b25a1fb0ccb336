/** A separation that was cut off, and the way on from where it stands. */

import { h, setText, tell } from "./dom.js";
import { percent } from "./format.js";
import { t } from "./i18n.js";
import { modelLabel } from "./model-texts.js";

/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../engine/protocol.js").Model} Model */

export class UnfinishedNotice extends HTMLElement {
  #text = h("p");
  #resume = h(
    "button",
    { type: "button", class: "primary", onclick: () => this.#tell("song-resume") },
    t("action.resume"),
  );
  /** @type {Song | null} */
  #song = null;

  connectedCallback() {
    this.append(
      this.#text,
      h(
        "div",
        { class: "actions" },
        this.#resume,
        h("button", { type: "button", onclick: () => this.#tell("song-discard") }, t("action.discard")),
      ),
    );
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

  /** @param {string} type */
  #tell(type) {
    tell(this, type, this.#song?.id);
  }
}

customElements.define("unfinished-notice", UnfinishedNotice);
