/** The mixing desk: balances, the null test, a strip for each stem, and the transport. Emits `null-test`. */

import { stripGains } from "../playback/page/gains.js";
import { BalanceRow } from "./balance-row.js";
import { emit, h, setText } from "./dom.js";
import { clock, instant, percent } from "./format.js";
import { t } from "./i18n.js";
import { StemStrip } from "./stem-strip.js";
import { nullTestText } from "./texts.js";
import { TransportBar } from "./transport-bar.js";

/** @typedef {import("../playback/page/transport.js").Transport} Transport */
/** @typedef {import("../library/track.js").Track} Track */
/** @typedef {import("../app/export-controller.js").ExportState} ExportState */
/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("./stems.js").Catalogue} Catalogue */
/** @typedef {import("./track-lane.js").Lanes} Lanes */

export class MixingDesk extends HTMLElement {
  #balances = new BalanceRow();
  #nullTest = new NullTest();
  #strips = h("div", { class: "strips" });
  #transportBar = new TransportBar();
  /** @type {Track[]} */
  #stems = [];
  /** @type {Catalogue} */
  #catalogue = {};
  /** @type {StemStrip[]} */
  #stemStrips = [];
  #duration = 0;

  connectedCallback() {
    this.setAttribute("role", "region");
    this.tabIndex = 0;
    const head = h("div", { class: "desk-head" }, this.#balances, this.#nullTest);
    this.append(head, this.#strips, this.#transportBar);
  }

  /**
   * @param {Song | null} song
   * @param {Lanes} lanes
   * @param {{ note: string, export: ExportState | null, catalogue: Catalogue }} view `note` on the playback, and the
   *   export under way
   */
  render(song, lanes, { note, export: exported, catalogue }) {
    this.hidden = !song?.stems.some(({ begin, available }) => available > begin);
    if (!song || this.hidden) return;
    const { desk, stems } = song;
    if (stems !== this.#stems || catalogue !== this.#catalogue) this.#build(song, catalogue);
    const finished = song.status === "done";
    const strips = stems.map(({ name }) => desk.strips[name]);
    const gains = stripGains(strips);
    const ownExport = exported?.place === "desk" && exported.song.id === song.id ? exported : null;
    this.#balances.render(desk.strips);
    this.#nullTest.render(song, ownExport);
    for (const [index, element] of this.#stemStrips.entries()) {
      const heard = gains[index] > 0 && !desk.original;
      element.render(strips[index], { heard, finished }, lanes);
    }
    const writing = Boolean(exported?.writing);
    this.#transportBar.render({ desk, finished, writing, saved: ownExport, note: note || extentText(song) });
  }

  /** @param {Transport} transport */
  follow(transport) {
    const { position, levels } = transport;
    this.#transportBar.follow(transport, this.#duration);
    for (const [index, element] of this.#stemStrips.entries())
      element.follow(position, levels.stems[index] ?? 0);
  }

  focusPlay() {
    this.#transportBar.focusPlay();
  }

  /** @param {Song} song @param {Catalogue} catalogue */
  #build({ name, stems, duration }, catalogue) {
    this.setAttribute("aria-label", t("desk.label", { song: name }));
    this.#stems = stems;
    this.#catalogue = catalogue;
    this.#duration = duration;
    this.#stemStrips = stems.map((stem) => new StemStrip(stem, catalogue));
    this.#strips.replaceChildren(...this.#stemStrips);
  }
}

/** @param {Song} song @returns {string} the part that is separated, or an empty text for the whole song */
function extentText({ status, stems, format, preview }) {
  if (status === "done" || !format) return "";
  if (preview && status !== "working") {
    const [start, stop] = [preview.start, preview.stop].map(instant);
    return t("desk.preview", { start, stop });
  }
  const { begin, available } = stems[0];
  const seconds = (available - begin) / format.rate;
  return t("desk.partial", { time: clock(seconds) });
}

/** The button that starts the null test, and its progress and result. */
class NullTest extends HTMLElement {
  #start = h("button", { type: "button", class: "link" }, t("null.start"));
  #result = h("span", { role: "status" });

  connectedCallback() {
    this.title = t("export.null-title");
    this.#start.addEventListener("click", () => emit(this, "null-test"));
    this.append(this.#start, this.#result);
  }

  /** @param {Song} song @param {ExportState | null} state of this desk */
  render({ status, nullTest }, state) {
    const measured = state?.measured ?? null;
    this.hidden = status !== "done";
    this.#start.hidden = measured !== null || nullTest !== null;
    if (measured !== null) setText(this.#result, t("export.measuring", { percent: percent(measured) }));
    else setText(this.#result, nullTest === null ? "" : t("null.value", { gain: nullTestText(nullTest) }));
  }
}

customElements.define("null-test", NullTest); // before the desk, which makes one as soon as it is defined
customElements.define("mixing-desk", MixingDesk);
