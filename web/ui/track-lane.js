/** A track over the time that is seen: its picture, the region and the playhead. A click seeks, a drag selects. */

import { h, tell } from "./dom.js";
import { LaneGestures } from "./lane-gestures.js";
import { SpectroGram } from "./spectro-gram.js";
import { placeIn } from "./time-view.js";
import { WaveForm } from "./wave-form.js";

/** @typedef {import("../app/desk-state.js").Desk} Desk */
/** @typedef {import("../app/desk-state.js").Span} Span */
/** @typedef {import("../app/spectrograms.js").Spectrograms} Spectrograms */
/** @typedef {import("../library/track.js").Track} Track */

/**
 * What all lanes of a song have in common.
 * @typedef {object} Lanes
 * @property {Span} view in seconds
 * @property {number} duration in seconds
 * @property {number} rate in Hz
 * @property {Span | null} region in seconds
 * @property {boolean} looping
 * @property {Desk["picture"]} picture
 * @property {number} scale the peak that fills the height
 * @property {Spectrograms} spectra
 */

export class TrackLane extends HTMLElement {
  #wave = new WaveForm();
  /** @type {SpectroGram | null} made when it is first asked for */
  #spectrogram = null;
  #region = h("div", { class: "region" });
  #playhead = h("div", { class: "playhead" });
  #gestures = new LaneGestures(this, (type, detail) => tell(this, type, detail));
  /** @type {Lanes | null} */
  #lanes = null;

  connectedCallback() {
    this.setAttribute("aria-hidden", "true");
    this.replaceChildren(this.#wave, this.#region, this.#playhead);
    if (this.#spectrogram) this.#wave.after(this.#spectrogram);
  }

  /** @param {Track | null} track @param {Lanes} lanes */
  render(track, lanes) {
    this.#lanes = lanes;
    const { view, duration, region, picture, scale, looping, rate, spectra } = lanes;
    const spectral = picture === "spectrogram" && track !== null;
    this.#gestures.follow({ view, duration, region });
    this.#wave.hidden = spectral;
    this.#wave.show({ track, scale, first: view.start * rate, last: view.stop * rate });
    if (spectral) {
      this.#spectrogram ??= this.#addSpectrogram();
      this.#spectrogram.show(spectra, track, { start: view.start * rate, stop: view.stop * rate, rate });
    }
    if (this.#spectrogram) this.#spectrogram.hidden = !spectral;
    this.#region.hidden = region === null;
    this.#region.classList.toggle("looping", looping);
    this.style.setProperty("--region-start", String(region ? placeIn(view, region.start) : 0));
    this.style.setProperty("--region-stop", String(region ? placeIn(view, region.stop) : 0));
  }

  /** @param {number} seconds up to which it is lit */
  set lit(seconds) {
    if (this.#lanes) this.#wave.lit = Math.min(1, Math.max(0, placeIn(this.#lanes.view, seconds)));
  }

  /** @param {number | null} seconds where the playhead stands */
  set playhead(seconds) {
    const place = seconds === null || !this.#lanes ? -1 : placeIn(this.#lanes.view, seconds);
    this.#playhead.hidden = place < 0 || place > 1;
    if (!this.#playhead.hidden) this.style.setProperty("--playhead", String(place));
  }

  #addSpectrogram() {
    const spectrogram = new SpectroGram();
    this.#wave.after(spectrogram);
    return spectrogram;
  }
}

customElements.define("track-lane", TrackLane);
