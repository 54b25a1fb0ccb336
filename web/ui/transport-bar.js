/**
 * The transport, the master, and the buttons that export. Emits `play-toggle`, `loop-toggle`, `seek-seconds`,
 * `original-toggle`, `master-change`, `clip-reset`, `download-all` and `export-open`.
 */

import { emit, h, icon, setText } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./i18n.js";
import { LevelMeter } from "./level-meter.js";
import { SaveLine } from "./save-line.js";
import { Fader, onSlide } from "./sliders.js";

/** @typedef {import("../app/desk.js").Desk} Desk */
/** @typedef {import("../app/export-controller.js").ExportState} ExportState */
/** @typedef {import("../playback/page/transport.js").Transport} Transport */

export class TransportBar extends HTMLElement {
  #play = h("button", { type: "button", class: "primary round" });
  #loop = h("button", { type: "button", class: "square" }, icon("repeat"));
  #time = h("span", { class: "time" });
  #position = h("input", { type: "range", class: "position", min: 0, step: 0.01, value: 0 });
  #original = h("button", { type: "button", class: "original" }, t("transport.original"));
  #master = new Fader(t("transport.master"), (decibel) => emit(this, "master-change", decibel));
  #meter = new LevelMeter();
  #clip = h("button", { type: "button", class: "clip" }, t("transport.clip"));
  #all = h(
    "button",
    { type: "button", class: "all" },
    icon("download"),
    h("span", {}, t("transport.download-all")),
  );
  #export = h("button", { type: "button", class: "export" }, t("transport.export"));
  #saving = new SaveLine();
  #status = h("p", { class: "note", role: "status" });
  /** @type {boolean | null} */
  #playing = null;
  #note = "";
  #writing = false;

  connectedCallback() {
    this.#position.setAttribute("aria-label", t("transport.position"));
    this.#all.setAttribute("aria-label", t("transport.download-all"));
    this.#loop.setAttribute("aria-label", t("transport.loop"));
    this.#loop.title = t("transport.loop");
    this.#original.title = t("transport.original-title");
    this.#clip.title = t("transport.clip-title");
    this.append(
      this.#play,
      this.#loop,
      this.#position,
      this.#time,
      this.#original,
      h(
        "span",
        { class: "master" },
        h("span", { "aria-hidden": "true" }, t("transport.master")),
        h("span", { class: "master-volume" }, this.#master.input, this.#meter),
        this.#master.output,
        this.#clip,
      ),
      this.#all,
      this.#export,
      this.#saving,
      this.#status,
    );
    this.#play.addEventListener("click", () => emit(this, "play-toggle"));
    this.#loop.addEventListener("click", () => emit(this, "loop-toggle"));
    onSlide(this.#position, () => emit(this, "seek-seconds", this.#position.valueAsNumber));
    this.#original.addEventListener("click", () => emit(this, "original-toggle"));
    this.#export.addEventListener("click", () => emit(this, "export-open"));
    this.#clip.addEventListener("click", () => emit(this, "clip-reset"));
    this.#all.addEventListener("click", () => emit(this, "download-all"));
  }

  /**
   * @param {{ desk: Desk, finished: boolean, writing: boolean, saved: ExportState | null, note: string }} view
   *   `writing` while any song is exported, `saved` for the export of this one
   */
  render({ desk, finished, writing, saved, note }) {
    this.#original.setAttribute("aria-pressed", String(desk.original));
    this.#loop.setAttribute("aria-pressed", String(desk.looping));
    this.#master.render(desk.master);
    const focus = this.#focusAfter(Boolean(saved?.writing));
    this.#saving.render(saved);
    this.#all.disabled = !finished || writing;
    this.#export.disabled = !finished || writing;
    focus?.focus();
    this.#note = note;
    this.#renderStatus();
  }

  /** @param {Transport} transport @param {number} duration in seconds */
  follow({ playing, position, levels, clipped }, duration) {
    if (playing !== this.#playing) {
      this.#playing = playing;
      this.#play.replaceChildren(icon(playing ? "pause" : "play"));
      this.#play.setAttribute("aria-label", t(playing ? "transport.pause" : "transport.play"));
    }
    const text = t("transport.time", { position: clock(position), duration: clock(duration) });
    this.#position.max = String(duration);
    this.#position.value = String(position);
    this.#position.setAttribute("aria-valuetext", text);
    setText(this.#time, text);
    this.#meter.peak = levels.master;
    this.#clip.classList.toggle("lit", clipped);
    this.#renderStatus();
  }

  focusPlay() {
    this.#play.focus();
  }

  /** @param {boolean} writing @returns {HTMLElement | null} the button to focus in place of one that goes away */
  #focusAfter(writing) {
    if (writing === this.#writing) return null;
    this.#writing = writing;
    const [from, to] = writing ? [this.#all, this.#saving.cancel] : [this.#saving.cancel, this.#all];
    return document.activeElement === from ? to : null;
  }

  #renderStatus() {
    setText(this.#status, this.#note || (this.#clip.classList.contains("lit") ? t("transport.clipped") : ""));
  }
}

customElements.define("transport-bar", TransportBar);
