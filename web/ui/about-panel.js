/** The measured quality of the models, and the device check. Emits `device-check`. */

import { LIMIT } from "../app/device-check-controller.js";
import { emit, h, setText } from "./dom.js";
import { approximateTime, decibels, ratio } from "./format.js";
import { t } from "./i18n.js";
import { stemLabel } from "./stems.js";
import { modelLabel } from "./texts.js";

/** @typedef {import("../app/device-check-controller.js").CheckState} CheckState */
/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../platform/models.js").QualityRow} QualityRow */
/** @typedef {import("../platform/models.js").SongQuality} SongQuality */
/** @typedef {import("./stems.js").Catalogue} Catalogue */

export class AboutPanel extends HTMLElement {
  /** Focusable, for scrolling with keys on a narrow page. */
  #tables = h("div", {
    class: "quality-tables",
    role: "region",
    tabindex: 0,
    "aria-label": t("about.quality"),
  });
  #check = h("button", { type: "button", onclick: () => emit(this, "device-check") }, t("about.check"));
  #result = h("p", { class: "check-result", role: "status" });
  #stems = h("ul", { class: "check-stems" });
  /** The quality that the tables show. @type {unknown} */
  #quality = null;

  connectedCallback() {
    this.append(
      h("p", {}, t("about.sdr")),
      this.#tables,
      h("h3", {}, t("about.check.title")),
      h("p", {}, t("about.check.what")),
      this.#check,
      this.#result,
      this.#stems,
    );
  }

  /** @param {PageState} state */
  render({ quality, models, catalogue, model, check, songs }) {
    if (this.#quality !== quality && quality && models.length > 0) {
      this.#quality = quality;
      const labels = new Map(models.map((each) => [each.id, modelLabel(each)]));
      this.#tables.replaceChildren(...quality.map((song) => table(song, labels, catalogue)));
    }
    const busy = songs.some(({ status }) => status === "working");
    this.#check.disabled = !model || busy || check?.phase === "working";
    setText(this.#result, busy ? t("about.check.busy") : check ? checkText(check) : "");
    const lines = (check?.stems ?? []).map((stem) => stemText(stem, catalogue));
    const old = Array.from(this.#stems.children, ({ textContent }) => textContent);
    if (lines.join("\n") !== old.join("\n"))
      this.#stems.replaceChildren(...lines.map((line) => h("li", {}, line)));
  }
}

/** @param {SongQuality} song @param {Map<string, string>} labels of the models @param {Catalogue} catalogue */
function table({ song, seconds, rows }, labels, catalogue) {
  const table = h("table", {}, h("caption", {}, t("about.song", { song, time: approximateTime(seconds) })));
  let stems = "";
  for (const row of rows) {
    const names = Object.keys(row.sdr).join();
    if (names !== stems) table.append(h("tbody", {}, head(row, catalogue)));
    table.lastElementChild?.append(line(row, labels));
    stems = names;
  }
  return table;
}

/** @param {QualityRow} row @param {Catalogue} catalogue */
function head({ sdr }, catalogue) {
  const stems = Object.keys(sdr).map((stem) => h("th", { scope: "col" }, stemLabel(stem, catalogue)));
  return h("tr", {}, h("th", { scope: "col" }, t("about.model")), ...stems);
}

/** @param {QualityRow} row @param {Map<string, string>} labels */
function line({ model, preset, sdr }, labels) {
  const name = t("about.preset", { model: labels.get(model) ?? model, preset: t(`quality.${preset}`) });
  const cells = Object.values(sdr).map((value) => h("td", {}, value === null ? "–" : ratio(value)));
  return h("tr", {}, h("th", { scope: "row" }, name), ...cells);
}

/** @param {CheckState} check @returns {string} */
function checkText({ phase, model, stems, error }) {
  if (phase === "working") return t("about.check.working", { model: modelLabel(model) });
  const song = t("about.check.song");
  if (error) return `${t("about.check.failed")} ${t(`error.${error.code}.title`, { song })}`;
  const agrees = stems.every(({ difference }) => difference < LIMIT);
  return t(agrees ? "about.check.right" : "about.check.wrong", { model: modelLabel(model) });
}

/** @param {CheckState["stems"][number]} stem @param {Catalogue} catalogue */
function stemText({ name, difference }, catalogue) {
  const stem = stemLabel(name, catalogue);
  if (difference === -Infinity) return t("about.check.equal", { stem });
  return t("about.check.stem", { stem, value: decibels(difference) });
}

customElements.define("about-panel", AboutPanel);
