/** Play, position, and the comparison with the song. */

import { h, setText, tell } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";

/** @typedef {import("../media/deck.js").Deck} Deck */

export class TransportBar extends HTMLElement {
  #play = h("button", { type: "button", class: "primary round" });
  #time = h("span", { class: "time" });
  #position = h("input", { type: "range", min: 0, step: 0.01, value: 0 });
  #original = h("button", { type: "button", class: "original" }, t("transport.original"));
  #all = h(
    "button",
    { type: "button", class: "all" },
    icon("download"),
    h("span", {}, t("transport.download-all")),
  );
  #export = h("button", { type: "button", class: "export" }, t("transport.export"));
  #note = h("p", { class: "note", role: "status" });
  /** @type {boolean | null} */
  #playing = null;

  connectedCallback() {
    this.#position.setAttribute("aria-label", t("transport.position"));
    this.#all.setAttribute("aria-label", t("transport.download-all"));
    this.#original.title = t("transport.original-title");
    this.append(this.#play, this.#position, this.#time, this.#original, this.#all, this.#export, this.#note);
    this.#play.addEventListener("click", () => tell(this, "play-toggle"));
    this.#position.addEventListener("input", () => tell(this, "seek-seconds", this.#position.valueAsNumber));
    this.#original.addEventListener("click", () => tell(this, "original-toggle"));
    this.#export.addEventListener("click", () => tell(this, "export-open"));
    this.#all.addEventListener("click", () => tell(this, "download-all"));
  }

  /** @param {{ original: boolean, finished: boolean, note: string }} view */
  render({ original, finished, note }) {
    this.#original.setAttribute("aria-pressed", String(original));
    this.#all.disabled = !finished;
    this.#export.disabled = !finished;
    setText(this.#note, note);
  }

  /** @param {Deck} deck @param {number} duration in seconds */
  follow({ playing, position }, duration) {
    if (playing !== this.#playing) {
      this.#playing = playing;
      this.#play.replaceChildren(icon(playing ? "pause" : "play"));
      this.#play.setAttribute("aria-label", t(playing ? "transport.pause" : "transport.play"));
    }
    const text = t("transport.time", { position: clock(position), duration: clock(duration) });
    this.#position.max = String(duration);
    this.#position.value = String(position);
    this.#position.style.setProperty("--fraction", String(duration ? position / duration : 0));
    this.#position.setAttribute("aria-valuetext", text);
    setText(this.#time, text);
  }

  focusPlay() {
    this.#play.focus();
  }
}

customElements.define("transport-bar", TransportBar);
