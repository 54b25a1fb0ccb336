/** The selected song: name, facts, tools and its lane, tinted up to its separated part. Emits `song-remove`. */

import { emit, h, icon, setText } from "./dom.js";
import { clock, kilohertz, percent } from "./format.js";
import { t } from "./i18n.js";
import { tagsText } from "./texts.js";
import { TimeRuler } from "./time-ruler.js";
import { TimeTools } from "./time-tools.js";
import { TrackLane } from "./track-lane.js";

/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("./track-lane.js").Lanes} Lanes */

export class SongOverview extends HTMLElement {
  #title = h("h2", { id: "song-title", class: "song-title" });
  #tags = h("p", { class: "tags" });
  #facts = h("p", { class: "facts" });
  #remove = h("button", { type: "button", class: "quiet" }, icon("x"));
  #tools = new TimeTools();
  #ruler = new TimeRuler();
  #lane = new TrackLane();
  #hint = h("p", { class: "wave-hint" });
  /** @type {Song | null} */
  #song = null;

  connectedCallback() {
    this.#remove.addEventListener("click", () => emit(this, "song-remove", this.#song?.id));
    this.append(
      h("header", {}, this.#title, this.#remove, this.#tags, this.#facts),
      this.#tools,
      this.#ruler,
      h("div", { class: "overview-wave" }, this.#lane, this.#hint),
    );
  }

  /**
   * @param {PageState} state
   * @param {Song} song
   * @param {Lanes} lanes
   */
  render({ engine, model }, song, lanes) {
    this.#song = song;
    setText(this.#title, song.name);
    setText(this.#tags, tagsText(song));
    setText(this.#facts, facts(song));
    this.#remove.setAttribute("aria-label", t("song.remove", { song: song.name }));
    this.hidden = song.status === "failed" && !song.format;
    this.#tools.render(song, model !== null && song.status === "ready");
    this.#lane.render(song.track, lanes);
    const empty = !song.track?.drawn;
    this.#lane.classList.toggle("empty", empty);
    this.#hint.hidden = !empty;
    setText(
      this.#hint,
      song.format
        ? t("wave.engine", { percent: percent(engine.fraction) })
        : t("wave.decoding", { percent: percent(song.decoded) }),
    );
    this.#lane.lit = separatedSeconds(song);
    this.#lane.slider = song.format !== null && song.stems.length === 0; // later, the desk has one
    this.#ruler.render(lanes.view);
  }

  /** @param {number | null} seconds */
  set playhead(seconds) {
    this.#lane.playhead = seconds;
    this.#tools.position = seconds ?? 0;
  }

  /** @param {number} factor */
  zoom(factor) {
    this.#tools.zoom(factor);
  }
}

/** @param {Song} song */
function facts({ format, duration }) {
  if (!format) return "";
  const { channels, rate } = format;
  const layout = channels <= 2 ? t(`song.channels.${channels}`) : t("song.channels", { count: channels });
  return [clock(duration), kilohertz(rate), layout].join(" · ");
}

/** @param {Song} song @returns {number} the end of the separated part, in seconds */
function separatedSeconds({ status, progress, duration, preview }) {
  if (status !== "working" || !progress) return 0;
  const { phase, part } = progress.view();
  const { start, stop } = preview ?? { start: 0, stop: duration };
  return phase === "separate" ? start + part * (stop - start) : 0;
}

customElements.define("song-overview", SongOverview);
