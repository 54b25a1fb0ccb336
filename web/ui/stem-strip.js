/** One stem on the desk: name, controls, meter and lane. Emits `strip-change` and `stem-download`. */

import { emit, h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { LevelMeter } from "./level-meter.js";
import { Fader, PanSlider } from "./sliders.js";
import { setStem, stemIcon, stemLabel } from "./stems.js";
import { TrackLane } from "./track-lane.js";

/** @typedef {import("../playback/page/gains.js").Strip} Strip */
/** @typedef {import("../library/track.js").Track} Track */

export class StemStrip extends HTMLElement {
  #track;
  #catalogue;
  #mute = h("button", { type: "button" }, t("strip.mute"));
  #solo = h("button", { type: "button", title: t("strip.solo-title") }, t("strip.solo"));
  #volume = new Fader(t("strip.volume"), (volume) => this.#change({ volume }));
  #pan = new PanSlider((pan) => this.#change({ pan }));
  #download = h("button", { type: "button", class: "quiet" }, icon("download"));
  #meter = new LevelMeter();
  #lane = new TrackLane();

  /** @param {Track} track @param {import("./stems.js").Catalogue} catalogue */
  constructor(track, catalogue) {
    super();
    this.#track = track;
    this.#catalogue = catalogue;
  }

  connectedCallback() {
    const name = stemLabel(this.#track.name, this.#catalogue);
    const download = t("strip.download", { stem: name });
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", name);
    setStem(this, this.#track.name, this.#catalogue);
    this.#download.setAttribute("aria-label", download);
    this.#download.title = download;
    this.replaceChildren(
      h("span", { class: "strip-name" }, stemIcon(this.#track.name, this.#catalogue), h("span", {}, name)),
      this.#download,
      h("span", { class: "strip-switches" }, this.#mute, this.#solo, this.#pan.input, this.#pan.output),
      h("span", { class: "strip-volume" }, this.#volume.input, this.#volume.output),
      this.#meter,
      this.#lane,
    );
    this.#mute.addEventListener("click", () => this.#change({ muted: !isPressed(this.#mute) }));
    this.#solo.addEventListener("click", (event) => {
      const alone = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
      this.#change({ soloed: alone || !isPressed(this.#solo) }, alone);
    });
    this.#download.addEventListener("click", () => emit(this, "stem-download", this.#track));
  }

  /**
   * @param {Strip} strip
   * @param {{ heard: boolean, finished: boolean }} view
   * @param {import("./track-lane.js").Lanes} lanes
   */
  render(strip, { heard, finished }, lanes) {
    this.classList.toggle("silent", !heard);
    this.#mute.setAttribute("aria-pressed", String(strip.muted));
    this.#solo.setAttribute("aria-pressed", String(strip.soloed));
    this.#volume.render(strip.volume);
    this.#pan.render(strip.pan);
    this.#download.disabled = !finished;
    this.#lane.render(this.#track, lanes);
  }

  /** @param {number} seconds @param {number} peak of the last moment */
  follow(seconds, peak) {
    this.#lane.playhead = seconds;
    this.#meter.peak = peak;
  }

  /** @param {Partial<Strip>} changes @param {boolean} [alone] true to end the solo of every other stem */
  #change(changes, alone) {
    emit(this, "strip-change", { stem: this.#track.name, changes, alone });
  }
}

/** @param {Element} button */
function isPressed(button) {
  return button.getAttribute("aria-pressed") === "true";
}

customElements.define("stem-strip", StemStrip);
