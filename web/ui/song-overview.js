/** The song that is shown: its name, its facts and its waveform, with what is separated tinted. */

import { h, setText, tell } from "./dom.js";
import { clock, frequency, percent } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";
import { TimeRuler } from "./time-ruler.js";
import { fullScale, WaveForm } from "./wave-form.js";

/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../app/song.js").Song} Song */

export class SongOverview extends HTMLElement {
  #title = h("h2", { id: "song-title", class: "song-title" });
  #facts = h("p", { class: "facts" });
  #remove = h("button", { type: "button", class: "quiet" }, icon("x"));
  #ruler = new TimeRuler();
  #wave = new WaveForm();
  #hint = h("p", { class: "wave-hint" });
  /** @type {Song | null} */
  #song = null;

  connectedCallback() {
    this.#remove.addEventListener("click", () => tell(this, "song-remove", this.#song?.id));
    this.append(
      this.#ruler,
      h("header", {}, this.#title, this.#remove, this.#facts),
      h("div", { class: "overview-wave" }, this.#wave, this.#hint),
    );
  }

  /**
   * @param {PageState} state
   * @param {Song} song
   */
  render({ engine }, song) {
    this.#song = song;
    setText(this.#title, song.name);
    setText(this.#facts, facts(song));
    this.#remove.setAttribute("aria-label", t("song.remove", { song: song.name }));
    this.hidden = song.status === "failed" && !song.format;
    const { peaks, drawn } = song.track ?? { peaks: new Float32Array(), drawn: 0 };
    this.#wave.show({ peaks, drawn, scale: fullScale(peaks) });
    this.#wave.classList.toggle("empty", drawn === 0);
    this.#hint.hidden = drawn > 0;
    setText(
      this.#hint,
      song.format
        ? t("wave.engine", { percent: percent(engine.fraction) })
        : t("wave.reading", { percent: percent(song.read) }),
    );
    this.#wave.lit = litFraction(song);
    this.#ruler.render(song.duration);
  }

  /** @param {number | null} fraction */
  set playhead(fraction) {
    this.#wave.playhead = fraction;
  }
}

/** @param {Song} song */
function facts({ format, duration }) {
  if (!format) return "";
  const { channels, rate } = format;
  const layout = channels <= 2 ? t(`song.channels.${channels}`) : t("song.channels", { count: channels });
  return [clock(duration), frequency(rate), layout].join(" · ");
}

/** @param {Song} song how much of it is separated, while it is */
function litFraction({ status, progress }) {
  if (status !== "working" || !progress) return 0;
  const { phase, part } = progress.view(performance.now() / 1000);
  return phase === "separate" ? part : 0;
}

customElements.define("song-overview", SongOverview);
