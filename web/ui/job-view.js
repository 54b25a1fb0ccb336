/**
 * The progress of a separation, from pressing the button to the last sample. Emits `song-cancel` and `notify-toggle`.
 */

import { canNotify, notificationsExist } from "../platform/notification.js";
import { bar, drawBar, emit, h, icon, setText } from "./dom.js";
import { percent, size } from "./format.js";
import { t } from "./i18n.js";
import { fallbackText, timeLeftText } from "./texts.js";

/** @typedef {import("../app/song.js").Song} Song */

export class JobView extends HTMLElement {
  #bar = bar();
  #stage = h("span", { class: "stage" });
  #percent = h("span", { class: "percent" });
  #left = h("span", { class: "left" });
  #fallback = h("p", { class: "fallback" });
  #cancel = h("button", { type: "button" }, t("action.cancel"));
  #notify = h("button", { type: "button", class: "notify" }, icon("bell"), h("span", {}, t("notify.ask")));
  /** @type {Song | null} */
  #song = null;

  connectedCallback() {
    this.#cancel.addEventListener("click", () => emit(this, "song-cancel", this.#song?.id));
    this.#notify.addEventListener("click", () => emit(this, "notify-toggle"));
    this.append(
      h("div", { class: "job-text" }, this.#percent, this.#stage, this.#left),
      this.#notify,
      this.#cancel,
      this.#bar,
      this.#fallback,
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
    const view = song.progress?.view();
    const fraction = view?.fraction ?? 0;
    const stage = stageText(song, view?.phase);
    const left = view?.secondsLeft == null ? "" : timeLeftText(view.secondsLeft);
    drawBar(this.#bar, name, fraction, [percent(fraction), left || stage].join(", "));
    setText(this.#percent, percent(fraction));
    setText(this.#stage, stage);
    setText(this.#left, left);
    this.#notify.hidden = !notificationsExist();
    this.#notify.setAttribute("aria-pressed", String(canNotify()));
    setText(this.#fallback, fallback && song.status === "working" ? fallbackText(fallback) : "");
  }

  focusCancel() {
    this.#cancel.focus();
  }
}

/** True from the request to separate a song until it is done. @param {Song} song */
export function isUnderWay({ status, plan }) {
  return ["working", "waiting"].includes(status) || (status === "decoding" && plan !== null);
}

/**
 * @param {Song} song
 * @param {import("../app/progress.js").Phase} [phase]
 */
function stageText({ status, decoded, download }, phase) {
  if (status === "decoding") return t("wave.decoding", { percent: percent(decoded) });
  if (phase !== "download" || !download) return t(`job.stage.${phase ?? "waiting"}`);
  return t("job.stage.downloading", { done: size(download.done), total: size(download.total) });
}

customElements.define("job-view", JobView);
