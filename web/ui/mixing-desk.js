/** The desk: a strip for each stem, all on one time line, and the transport. */

import { stripGains } from "../media/mix.js";
import { h, tell } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./i18n.js";
import { StemStrip } from "./stem-strip.js";
import { TransportBar } from "./transport-bar.js";
import { fullScale } from "./wave-form.js";

/** @typedef {import("../media/deck.js").Deck} Deck */
/** @typedef {import("../media/track.js").Track} Track */
/** @typedef {import("../app/song.js").Song} Song */

const STEP_SECONDS = 5;

export class MixingDesk extends HTMLElement {
  #strips = h("div", { class: "strips" });
  #transport = new TransportBar();
  /** @type {Track[]} */
  #stems = [];
  /** @type {StemStrip[]} */
  #elements = [];
  #duration = 0;
  #position = 0;

  connectedCallback() {
    this.setAttribute("role", "region");
    this.tabIndex = 0;
    this.append(this.#strips, this.#transport);
    this.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {Song | null} song
   * @param {string} note what the desk is busy with
   */
  render(song, note) {
    const available = song?.stems[0]?.available ?? 0;
    this.hidden = available === 0;
    if (!song?.track || this.hidden) return;
    if (song.stems !== this.#stems) this.#build(song);
    const scale = fullScale(song.track.peaks);
    const finished = song.status === "done";
    const strips = song.stems.map(({ name }) => song.desk.strips[name]);
    const gains = stripGains(strips);
    for (const [index, element] of this.#elements.entries()) {
      const heard = gains[index] > 0 && !song.desk.original;
      element.render(strips[index], { heard, finished, scale });
    }
    const listen = song.format ? t("desk.partial", { time: clock(available / song.format.rate) }) : "";
    this.#transport.render({
      original: song.desk.original,
      finished,
      note: note || (finished ? "" : listen),
    });
  }

  /** @param {Deck} deck */
  follow(deck) {
    this.#position = deck.position;
    this.#transport.follow(deck, this.#duration);
    for (const element of this.#elements) element.playhead = this.#position / this.#duration;
  }

  focusPlay() {
    this.#transport.focusPlay();
  }

  /** @param {Song} song */
  #build({ name, stems, duration }) {
    this.setAttribute("aria-label", t("desk.label", { song: name }));
    this.#stems = stems;
    this.#duration = duration;
    this.#elements = stems.map((stem) => new StemStrip(stem));
    this.#strips.replaceChildren(...this.#elements);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.target !== this) return;
    const position = {
      ArrowLeft: this.#position - STEP_SECONDS,
      ArrowRight: this.#position + STEP_SECONDS,
      Home: 0,
      End: this.#duration,
    }[event.key];
    if (position === undefined) return;
    event.preventDefault();
    tell(this, "seek-seconds", Math.min(this.#duration, Math.max(0, position)));
  }
}

customElements.define("mixing-desk", MixingDesk);
