/** The desk: presets, a strip for each stem, all on one time line, and the transport. */

import { stripGains } from "../playback/page/gains.js";
import { h } from "./dom.js";
import { clock, instant } from "./format.js";
import { t } from "./i18n.js";
import { NullTest } from "./null-test.js";
import { PresetRow } from "./preset-row.js";
import { StemStrip } from "./stem-strip.js";
import { TransportBar } from "./transport-bar.js";

/** @typedef {import("../playback/page/transport.js").Transport} Transport */
/** @typedef {import("../library/track.js").Track} Track */
/** @typedef {import("../app/export-controller.js").ExportState} ExportState */
/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("./track-lane.js").Lanes} Lanes */

export class MixingDesk extends HTMLElement {
  #presets = new PresetRow();
  #nullTest = new NullTest();
  #strips = h("div", { class: "strips" });
  #transport = new TransportBar();
  /** @type {Track[]} */
  #stems = [];
  /** @type {StemStrip[]} */
  #elements = [];
  #duration = 0;

  connectedCallback() {
    this.setAttribute("role", "region");
    this.tabIndex = 0;
    const head = h("div", { class: "desk-head" }, this.#presets, this.#nullTest);
    this.append(head, this.#strips, this.#transport);
  }

  /**
   * @param {Song | null} song
   * @param {Lanes} lanes
   * @param {{ note: string, export: ExportState | null }} view with what the desk is busy with
   */
  render(song, lanes, { note, export: exported }) {
    this.hidden = !song?.stems.some(({ begin, available }) => available > begin);
    if (!song || this.hidden) return;
    const { desk, stems } = song;
    if (stems !== this.#stems) this.#build(song);
    const finished = song.status === "done";
    const strips = stems.map(({ name }) => desk.strips[name]);
    const gains = stripGains(strips);
    const own = exported?.place === "desk" && exported.song === song ? exported : null;
    this.#presets.render(desk.strips);
    this.#nullTest.render(song, own);
    for (const [index, element] of this.#elements.entries()) {
      const heard = gains[index] > 0 && !desk.original;
      element.render(strips[index], { heard, finished }, lanes);
    }
    const writing = Boolean(exported?.writing);
    this.#transport.render({ desk, finished, writing, saved: own, note: note || extent(song) });
  }

  /** @param {Transport} deck */
  follow(deck) {
    const { position, levels } = deck;
    this.#transport.follow(deck, this.#duration);
    for (const [index, element] of this.#elements.entries())
      element.follow(position, levels.stems[index] ?? 0);
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
}

/** How much of the song there is, where it is not all. @param {Song} song */
function extent({ status, stems, format, preview }) {
  if (status === "done" || !format) return "";
  if (preview && status !== "working") {
    const [start, stop] = [preview.start, preview.stop].map(instant);
    return t("desk.preview", { start, stop });
  }
  const { begin, available } = stems[0];
  const seconds = (available - begin) / format.rate;
  return t("desk.partial", { time: clock(seconds) });
}

customElements.define("mixing-desk", MixingDesk);
