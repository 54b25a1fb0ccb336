/** Play, position, loop, the comparison with the song, and the level of all. */

import { h, setText, tell } from "./dom.js";
import { Fader } from "./fader.js";
import { clock } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";
import { LevelMeter } from "./level-meter.js";
import { SaveLine } from "./save-line.js";

/** @typedef {import("../app/desk-state.js").Desk} Desk */
/** @typedef {import("../app/export-controller.js").ExportState} ExportState */
/** @typedef {import("../playback/page/transport.js").Transport} Transport */

export class TransportBar extends HTMLElement {
  #play = h("button", { type: "button", class: "primary round" });
  #loop = h("button", { type: "button", class: "square" }, icon("repeat"));
  #time = h("span", { class: "time" });
  #position = h("input", { type: "range", class: "position", min: 0, step: 0.01, value: 0 });
  #original = h("button", { type: "button", class: "original" }, t("transport.original"));
  #master = new Fader(t("transport.master"), (decibel) => tell(this, "master-change", decibel));
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
  #note = h("p", { class: "note", role: "status" });
  /** @type {boolean | null} */
  #playing = null;
  #said = "";
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
        h("span", { class: "master-level" }, this.#master.input, this.#meter),
        this.#master.output,
        this.#clip,
      ),
      this.#all,
      this.#export,
      this.#saving,
      this.#note,
    );
    this.#play.addEventListener("click", () => tell(this, "play-toggle"));
    this.#loop.addEventListener("click", () => tell(this, "loop-toggle"));
    this.#position.addEventListener("input", () => tell(this, "seek-seconds", this.#position.valueAsNumber));
    this.#original.addEventListener("click", () => tell(this, "original-toggle"));
    this.#export.addEventListener("click", () => tell(this, "export-open"));
    this.#clip.addEventListener("click", () => tell(this, "clip-reset"));
    this.#all.addEventListener("click", () => tell(this, "download-all"));
  }

  /**
   * @param {{ desk: Desk, finished: boolean, writing: boolean, saved: ExportState | null, note: string }} view
   *   with whether any song is being written, and what is written of this one
   */
  render({ desk, finished, writing, saved, note }) {
    this.#original.setAttribute("aria-pressed", String(desk.original));
    this.#loop.setAttribute("aria-pressed", String(desk.looping));
    this.#master.render(desk.master);
    const focus = this.#focusOnce(Boolean(saved?.writing));
    this.#saving.render(saved);
    this.#all.disabled = !finished || writing;
    this.#export.disabled = !finished || writing;
    focus?.focus();
    this.#said = note;
    this.#say();
  }

  /** @param {Transport} deck @param {number} duration in seconds */
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
    this.#say();
  }

  focusPlay() {
    this.#play.focus();
  }

  /** Who is to have the focus of what can no longer be pressed. @param {boolean} writing */
  #focusOnce(writing) {
    if (writing === this.#writing) return null;
    this.#writing = writing;
    const [from, to] = writing ? [this.#all, this.#saving.cancel] : [this.#saving.cancel, this.#all];
    return document.activeElement === from ? to : null;
  }

  #say() {
    setText(this.#note, this.#said || (this.#clip.classList.contains("lit") ? t("transport.clipped") : ""));
  }
}

customElements.define("transport-bar", TransportBar);
