/** What is selected of the song, how close it is looked at, and as what. */

import { h, setText, tell } from "./dom.js";
import { instant } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";
import { moved, seen, ZOOM_STEP, zoomed } from "./time-view.js";

/** @typedef {import("../app/desk-state.js").Desk} Desk */
/** @typedef {import("../app/song.js").Song} Song */

const PICTURES = /** @type {const} */ (["wave", "spectrogram"]);

export class TimeTools extends HTMLElement {
  #hint = h("span", { class: "region-hint" });
  #clear = h("button", { type: "button", class: "quiet small" }, icon("x"));
  #preview = h("button", { type: "button", class: "preview" }, icon("flask-conical"), t("region.preview"));
  #out = tool("zoom-out", t("zoom.out"));
  #whole = tool("unfold-horizontal", t("zoom.whole"));
  #in = tool("zoom-in", t("zoom.in"));
  #pictures = PICTURES.map((picture) => h("button", { type: "button" }, t(`picture.${picture}`)));
  #scroll = h("input", { type: "range", class: "scroll", min: 0, step: "any" });
  /** @type {Song | null} */
  #song = null;
  /** Where the playhead stands, in seconds. */
  position = 0;

  connectedCallback() {
    this.#clear.setAttribute("aria-label", t("region.clear"));
    this.#clear.title = t("region.clear");
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
    this.#clear.addEventListener("click", () => tell(this, "region-change", null));
    this.#preview.addEventListener("click", () => tell(this, "region-preview"));
    this.#in.addEventListener("click", () => this.zoom(ZOOM_STEP));
    this.#out.addEventListener("click", () => this.zoom(1 / ZOOM_STEP));
    this.#whole.addEventListener("click", () => tell(this, "view-change", null));
    this.#scroll.addEventListener("input", () => this.#scrollTo(this.#scroll.valueAsNumber));
    for (const [index, button] of this.#pictures.entries()) {
      button.addEventListener("click", () => tell(this, "picture-choose", PICTURES[index]));
    }
  }

  /** @param {Song} song @param {boolean} previewable */
  render(song, previewable) {
    this.#song = song;
    this.hidden = !song.format;
    const { region, view, picture } = song.desk;
    const shown = region
      ? t("region.text", { start: instant(region.start), stop: instant(region.stop) })
      : "";
    setText(this.#hint, shown || t("region.hint"));
    this.#clear.hidden = !region;
    this.#preview.hidden = !region || !previewable;
    this.#whole.setAttribute("aria-pressed", String(view === null));
    for (const [index, button] of this.#pictures.entries()) {
      button.setAttribute("aria-pressed", String(picture === PICTURES[index]));
    }
    this.#scroll.classList.toggle("idle", view === null);
    if (view) this.#place(view, song.duration);
  }

  /** Closer to the playhead where it is seen, else to the middle. @param {number} factor */
  zoom(factor) {
    if (!this.#song) return;
    const { desk, duration } = this.#song;
    const view = seen(desk.view, duration);
    const inside = this.position >= view.start && this.position <= view.stop;
    const at = inside ? this.position : (view.start + view.stop) / 2;
    tell(this, "view-change", zoomed(view, factor, at, duration));
  }

  /** @param {import("../app/desk-state.js").Span} view @param {number} duration */
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
    const view = seen(desk.view, duration);
    tell(this, "view-change", moved(view, start - view.start, duration));
  }
}

/** @param {string} name of the icon @param {string} label */
function tool(name, label) {
  return h("button", { type: "button", class: "quiet small", "aria-label": label, title: label }, icon(name));
}

customElements.define("time-tools", TimeTools);
