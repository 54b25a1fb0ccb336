/** How far a separation is: one bar from the press of the button to the last sample. */

import { canNotify, notificationsExist } from "../platform/notification.js";
import { h, setText, tell } from "./dom.js";
import { fallbackText } from "./fallback-text.js";
import { percent, size, span } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";

/** @typedef {import("../app/song.js").Song} Song */

export class JobView extends HTMLElement {
  #bar = h("div", { role: "progressbar", class: "bar", "aria-valuemin": 0, "aria-valuemax": 100 }, h("div"));
  #stage = h("span", { class: "stage" });
  #percent = h("span", { class: "percent" });
  #left = h("span", { class: "left" });
  #notice = h("p", { class: "notice" });
  #cancel = h("button", { type: "button" }, t("action.cancel"));
  #notify = h("button", { type: "button", class: "notify" }, icon("bell"), h("span", {}, t("notify.ask")));
  /** @type {Song | null} */
  #song = null;

  connectedCallback() {
    this.#cancel.addEventListener("click", () => tell(this, "song-cancel", this.#song?.id));
    this.#notify.addEventListener("click", () => tell(this, "notify-toggle"));
    this.append(
      h("div", { class: "job-text" }, this.#percent, this.#stage, this.#left),
      this.#notify,
      this.#cancel,
      this.#bar,
      this.#notice,
    );
  }

  /**
   * @param {Song | null} song
   * @param {import("../engine/protocol.js").Fallback | null} fallback
   */
  render(song, fallback) {
    this.#song = song;
    this.hidden = !song || !isUnderWay(song);
    if (!song || this.hidden) return;
    const name = t("job.label", { song: song.name });
    if (this.#bar.getAttribute("aria-label") !== name) this.#bar.setAttribute("aria-label", name);
    const view = song.progress?.view(performance.now() / 1000);
    const fraction = view?.fraction ?? 0;
    const stage = stageText(song, view?.phase);
    const left = view?.secondsLeft == null ? "" : t("job.left", { time: span(view.secondsLeft) });
    this.#bar.setAttribute("aria-valuenow", (100 * fraction).toFixed(2));
    this.#bar.setAttribute("aria-valuetext", [percent(fraction), left || stage].join(", "));
    this.#bar.style.setProperty("--fraction", String(fraction));
    setText(this.#percent, percent(fraction));
    setText(this.#stage, stage);
    setText(this.#left, left);
    this.#notify.hidden = !notificationsExist();
    this.#notify.setAttribute("aria-pressed", String(canNotify()));
    setText(this.#notice, fallback && song.status === "working" ? fallbackText(fallback) : "");
  }

  focusCancel() {
    this.#cancel.focus();
  }
}

/** Whether it was asked to be separated, and is not yet. @param {Song} song */
export function isUnderWay({ status, plan }) {
  return ["working", "waiting"].includes(status) || (status === "reading" && plan !== null);
}

/**
 * @param {Song} song
 * @param {import("../app/job-progress.js").Phase} [phase]
 */
function stageText({ status, read, download }, phase) {
  if (status === "reading") return t("wave.reading", { percent: percent(read) });
  if (phase !== "download" || !download) return t(`job.stage.${phase ?? "waiting"}`);
  return t("job.stage.downloading", { done: size(download.done), total: size(download.total) });
}

customElements.define("job-view", JobView);
