/** One stem on the desk: its name, its controls and its waveform. */

import { LOUDEST_DB, neutralStrip, SILENT_DB } from "../media/mix.js";
import { h, setText, tell } from "./dom.js";
import { gain } from "./format.js";
import { t } from "./i18n.js";
import { icon, stemIcon } from "./icon.js";
import { WaveForm } from "./wave-form.js";

/** @typedef {import("../media/mix.js").Strip} Strip */
/** @typedef {import("../media/track.js").Track} Track */

export class StemStrip extends HTMLElement {
  #track;
  #mute = h("button", { type: "button" }, t("strip.mute"));
  #solo = h("button", { type: "button" }, t("strip.solo"));
  #volume = h("input", { type: "range", min: SILENT_DB, max: LOUDEST_DB, step: 0.5 });
  #decibel = h("span", { class: "decibel", "aria-hidden": "true" });
  #download = h("button", { type: "button", class: "quiet" }, icon("download"));
  #wave = new WaveForm();

  /** @param {Track} track */
  constructor(track) {
    super();
    this.#track = track;
  }

  connectedCallback() {
    const name = t(`stem.${this.#track.name}`);
    const download = t("strip.download", { stem: name });
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", name);
    this.dataset.stem = this.#track.name;
    this.#volume.setAttribute("aria-label", t("strip.volume"));
    this.#download.setAttribute("aria-label", download);
    this.#download.title = download;
    this.replaceChildren(
      h("span", { class: "strip-name" }, stemIcon(this.#track.name), name),
      this.#download,
      h("span", { class: "strip-controls" }, this.#mute, this.#solo, this.#volume, this.#decibel),
      this.#wave,
    );
    this.#mute.addEventListener("click", () => this.#change({ muted: !isPressed(this.#mute) }));
    this.#solo.addEventListener("click", () => this.#change({ soloed: !isPressed(this.#solo) }));
    this.#volume.addEventListener("input", () => this.#change({ volume: this.#volume.valueAsNumber }));
    this.#volume.addEventListener("dblclick", () => this.#change({ volume: neutralStrip().volume }));
    this.#download.addEventListener("click", () => tell(this, "stem-download", this.#track));
  }

  /**
   * @param {Strip} strip
   * @param {{ heard: boolean, finished: boolean, scale: number }} view
   */
  render(strip, { heard, finished, scale }) {
    this.classList.toggle("silent", !heard);
    this.#mute.setAttribute("aria-pressed", String(strip.muted));
    this.#solo.setAttribute("aria-pressed", String(strip.soloed));
    const volume = strip.volume <= SILENT_DB ? t("strip.silent") : gain(strip.volume);
    this.#volume.value = String(strip.volume);
    this.#volume.setAttribute("aria-valuetext", volume);
    setText(this.#decibel, volume);
    this.#download.disabled = !finished;
    const { peaks, drawn } = this.#track;
    this.#wave.show({ peaks, drawn, scale });
  }

  /** @param {number} fraction */
  set playhead(fraction) {
    this.#wave.playhead = fraction;
  }

  /** @param {Partial<Strip>} changes */
  #change(changes) {
    tell(this, "strip-change", { stem: this.#track.name, changes });
  }
}

/** @param {Element} button */
function isPressed(button) {
  return button.getAttribute("aria-pressed") === "true";
}

customElements.define("stem-strip", StemStrip);
