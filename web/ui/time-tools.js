/**
 * Tools for the region, the zoom and the picture. Emits `region-change`, `region-preview`, `view-change` and
 * `picture-choose`.
 */

import { emit, h, icon, iconButton, setText } from "./dom.js";
import { instant } from "./format.js";
import { t } from "./i18n.js";
import { onSlide } from "./sliders.js";
import { scrolled, visibleSpan, ZOOM_STEP, zoomed } from "./visible-span.js";

/** @typedef {import("../app/desk.js").Desk} Desk */
/** @typedef {import("../app/song.js").Song} Song */

const PICTURES = /** @type {const} */ (["wave", "spectrogram"]);

export class TimeTools extends HTMLElement {
  #hint = h("span", { class: "region-hint" });
  #clear = iconButton("x", t("region.clear"), true);
  #preview = h("button", { type: "button", class: "preview" }, icon("flask-conical"), t("region.preview"));
  #out = iconButton("zoom-out", t("zoom.out"), true);
  #whole = iconButton("unfold-horizontal", t("zoom.whole"), true);
  #in = iconButton("zoom-in", t("zoom.in"), true);
  #pictures = PICTURES.map((picture) => h("button", { type: "button" }, t(`picture.${picture}`)));
  #scroll = h("input", { type: "range", class: "scroll", min: 0, step: "any" });
  /** @type {Song | null} */
  #song = null;
  /** The playhead, in seconds. */
  position = 0;

  connectedCallback() {
    this.#scroll.setAttribute("aria-label", t("zoom.scroll"));
    this.#preview.title = t("region.preview-title");
    this.append(
      h("span", { class: "region-text" }, this.#hint, this.#clear, this.#preview),
      h(
        "span",
        { class: "zoom", role: "group", "aria-label": t("zoom.label") },
        this.#out,
        this.#whole,
        this.#in,
      ),
      h("span", { class: "pictures", role: "group", "aria-label": t("picture.label") }, ...this.#pictures),
      this.#scroll,
    );
    this.#clear.addEventListener("click", () => emit(this, "region-change", null));
    this.#preview.addEventListener("click", () => emit(this, "region-preview"));
    this.#in.addEventListener("click", () => this.zoom(ZOOM_STEP));
    this.#out.addEventListener("click", () => this.zoom(1 / ZOOM_STEP));
    this.#whole.addEventListener("click", () => emit(this, "view-change", null));
    onSlide(this.#scroll, () => this.#scrollTo(this.#scroll.valueAsNumber));
    for (const [index, button] of this.#pictures.entries()) {
      button.addEventListener("click", () => emit(this, "picture-choose", PICTURES[index]));
    }
  }

  /** @param {Song} song @param {boolean} previewable */
  render(song, previewable) {
    this.#song = song;
    this.classList.toggle("idle", !song.format); // keeps its place
    const { region, view, picture } = song.desk;
    const text = region ? t("region.text", { start: instant(region.start), stop: instant(region.stop) }) : "";
    setText(this.#hint, text || t("region.hint"));
    this.#clear.hidden = !region;
    this.#preview.hidden = !region || !previewable;
    this.#whole.setAttribute("aria-pressed", String(view === null));
    for (const [index, button] of this.#pictures.entries()) {
      button.setAttribute("aria-pressed", String(picture === PICTURES[index]));
    }
    this.#scroll.classList.toggle("idle", view === null);
    if (view) this.#place(view, song.duration);
  }

  /** Zooms about the playhead while it is visible, else about the middle. @param {number} factor */
  zoom(factor) {
    if (!this.#song) return;
    const { desk, duration } = this.#song;
    const view = visibleSpan(desk.view, duration);
    const inside = this.position >= view.start && this.position <= view.stop;
    const at = inside ? this.position : (view.start + view.stop) / 2;
    emit(this, "view-change", zoomed(view, factor, at, duration));
  }

  /** @param {import("../app/desk.js").Span} view @param {number} duration */
  #place({ start, stop }, duration) {
    this.#scroll.max = String(duration - (stop - start));
    this.#scroll.value = String(start);
    const text = t("region.text", { start: instant(start), stop: instant(stop) });
    this.#scroll.setAttribute("aria-valuetext", text);
    this.#scroll.style.setProperty("--part", String((stop - start) / duration));
  }

  /** @param {number} start */
  #scrollTo(start) {
    const { desk, duration } = /** @type {Song} */ (this.#song);
    const view = visibleSpan(desk.view, duration);
    emit(this, "view-change", scrolled(view, start - view.start, duration));
  }
}

customElements.define("time-tools", TimeTools);
