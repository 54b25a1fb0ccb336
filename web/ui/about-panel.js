/** What the models reach on songs whose stems are known, and how near this browser comes to the reference. */

import { LIMIT } from "../app/device-check.js";
import { h, setText, tell } from "./dom.js";
import { gain, ratio, span } from "./format.js";
import { t } from "./i18n.js";
import { modelLabel } from "./model-texts.js";

/** @typedef {import("../app/device-check.js").CheckState} CheckState */
/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../platform/quality.js").QualityRow} QualityRow */
/** @typedef {import("../platform/quality.js").SongQuality} SongQuality */

export class AboutPanel extends HTMLElement {
  /** Can be focused: where the page is narrow, keys scroll it. */
  #tables = h("div", {
    class: "quality-tables",
    role: "region",
    tabindex: 0,
    "aria-label": t("about.quality"),
  });
  #check = h("button", { type: "button", onclick: () => tell(this, "device-check") }, t("about.check"));
  #note = h("p", { class: "check-note", role: "status" });
  #stems = h("ul", { class: "check-stems" });
  /** What the tables show. @type {unknown} */
  #shown = null;

  connectedCallback() {
    this.append(
      h("p", {}, t("about.sdr")),
      this.#tables,
      h("h3", {}, t("about.check.title")),
      h("p", {}, t("about.check.what")),
      this.#check,
      this.#note,
      this.#stems,
    );
  }

  /** @param {PageState} state */
  render({ quality, models, model, check, songs }) {
    if (this.#shown !== quality && quality && models.length > 0) {
      this.#shown = quality;
      const labels = new Map(models.map((each) => [each.id, modelLabel(each)]));
      this.#tables.replaceChildren(...quality.map((song) => table(song, labels)));
    }
    const busy = songs.some(({ status }) => status === "working");
    this.#check.disabled = !model || busy || check?.phase === "working";
    setText(this.#note, busy ? t("about.check.busy") : check ? verdict(check) : "");
    const lines = (check?.stems ?? []).map(stemText);
    const old = Array.from(this.#stems.children, ({ textContent }) => textContent);
    if (lines.join("\n") !== old.join("\n"))
      this.#stems.replaceChildren(...lines.map((line) => h("li", {}, line)));
  }
}

/** @param {SongQuality} song @param {Map<string, string>} labels of the models */
function table({ song, seconds, rows }, labels) {
  const table = h("table", {}, h("caption", {}, t("about.song", { song, time: span(seconds) })));
  let stems = "";
  for (const row of rows) {
    const names = Object.keys(row.sdr).join();
    if (names !== stems) table.append(h("tbody", {}, head(row)));
    table.lastElementChild?.append(line(row, labels));
    stems = names;
  }
  return table;
}

/** @param {QualityRow} row */
function head({ sdr }) {
  const stems = Object.keys(sdr).map((stem) => h("th", { scope: "col" }, t(`stem.${stem}`)));
  return h("tr", {}, h("th", { scope: "col" }, t("about.model")), ...stems);
}

/** @param {QualityRow} row @param {Map<string, string>} labels */
function line({ model, preset, sdr }, labels) {
  const name = t("about.preset", { model: labels.get(model) ?? model, preset: t(`quality.${preset}`) });
  const cells = Object.values(sdr).map((value) => h("td", {}, value === null ? "–" : ratio(value)));
  return h("tr", {}, h("th", { scope: "row" }, name), ...cells);
}

/** @param {CheckState} check @returns {string} */
function verdict({ phase, model, stems, error }) {
  if (phase === "working") return t("about.check.working", { model: modelLabel(model) });
  const song = t("about.check.song");
  if (error) return `${t("about.check.failed")} ${t(`error.${error.code}.title`, { song })}`;
  const right = stems.every(({ difference }) => difference < LIMIT);
  return t(right ? "about.check.right" : "about.check.wrong", { model: modelLabel(model) });
}

/** @param {CheckState["stems"][number]} stem */
function stemText({ name, difference }) {
  const stem = t(`stem.${name}`);
  if (difference === -Infinity) return t("about.check.equal", { stem });
  return t("about.check.stem", { stem, value: gain(difference) });
}

customElements.define("about-panel", AboutPanel);
