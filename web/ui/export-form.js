/** The choices of an export: content, format and file name. Emits `input`. */

import {
  CHOICES,
  fitsMp3,
  fitsStemsFile,
  namesPart,
  recallChoices,
  rememberChoices,
} from "../app/export-plan.js";
import { stripGains, toGain } from "../playback/page/gains.js";
import { h, icon, setText, uniqueId } from "./dom.js";
import { decibels } from "./format.js";
import { t } from "./i18n.js";
import { stemLabel } from "./stems.js";

/** @typedef {import("../app/export-plan.js").ExportChoice} ExportChoice */
/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("./stems.js").Catalogue} Catalogue */
/** @typedef {import("../export/protocol.js").Coding} Coding */

const { what: WHATS, format: FORMATS, bits: DEPTHS, bitrate: BITRATES } = CHOICES;
/** @type {Record<string, string>} */
const ICONS = { mix: "sliders-vertical", all: "archive", stem: "music", "stems-file": "layers" };
const DEEPEST_FLAC = 24;
const STEMS_FILE_BITRATE = 320_000;

export class ExportForm extends HTMLElement {
  #whats = group(t("export.what"), "export-what", WHATS, (what) => t(`export.what.${what}`));
  #formats = group(t("export.format"), "export-format", FORMATS, (format) => t(`export.format.${format}`));
  #depths = group(t("export.depth"), "export-depth", DEPTHS, (bits) => t(`export.depth.${bits}`));
  #bitrates = group(t("export.bitrate"), "export-bitrate", BITRATES, (rate) => rate);
  #stem = h("select", {});
  #pattern = h("input", { type: "text", spellcheck: "false", autocomplete: "off", id: uniqueId("pattern") });
  #added = h("p", { class: "export-hint", id: uniqueId("pattern-added") });
  #coding = h("div", { class: "export-coding" });
  #reason = h("p", { class: "export-hint" });
  /** @type {Record<string, HTMLElement>} */
  #notes = Object.fromEntries(WHATS.map((what) => [what, h("span", { class: "export-note" })]));
  /** @type {Song | null} */
  #song = null;

  /** True when the mix would be silent. */
  silent = false;

  connectedCallback() {
    this.#stem.setAttribute("aria-label", t("export.stem"));
    this.#stem.addEventListener("input", () => this.#whats.choose("stem"));
    for (const what of WHATS) this.#whats.labels[what].replaceChildren(...this.#row(what));
    this.#coding.append(this.#formats.element, this.#depths.element, this.#bitrates.element, this.#reason);
    const hint = uniqueId("pattern-hint");
    this.#pattern.setAttribute("aria-describedby", `${hint} ${this.#added.id}`);
    this.append(
      this.#whats.element,
      this.#coding,
      h(
        "div",
        { class: "export-name" },
        h("label", { for: this.#pattern.id }, t("export.name")),
        this.#pattern,
        h("p", { id: hint, class: "export-hint" }, t("export.name-hint")),
        this.#added,
      ),
    );
    this.addEventListener("input", () => this.#showOptions());
  }

  /** @param {Song} song @param {Catalogue} catalogue */
  build(song, catalogue) {
    this.#song = song;
    const { what, format, bits, bitrate, pattern } = recallChoices();
    const stems = song.stems.map(({ name }) => h("option", { value: name }, stemLabel(name, catalogue)));
    this.#stem.replaceChildren(...stems);
    this.#whats.labels["stems-file"].hidden = !fitsStemsFile(song);
    this.#formats.inputs.mp3.disabled = !fitsMp3(song);
    this.#whats.choose(this.#whats.labels[what].hidden ? "mix" : what);
    this.#formats.choose(this.#formats.inputs[format].disabled ? "wav" : format);
    this.#depths.choose(bits);
    this.#bitrates.choose(bitrate);
    this.#pattern.value = pattern;
    this.#describe(song, catalogue);
    this.#showOptions();
  }

  /** @returns {ExportChoice} */
  get choice() {
    return {
      what: /** @type {ExportChoice["what"]} */ (this.#whats.value),
      stem: this.#stem.value,
      coding: this.#codingChoice(),
      pattern: this.#pattern.value,
    };
  }

  focusFirst() {
    this.#whats.inputs[this.#whats.value].focus();
  }

  /** Remembers the choices for the next export. */
  remember() {
    rememberChoices({
      what: this.#whats.value,
      format: this.#formats.value,
      bits: this.#depths.value,
      bitrate: this.#bitrates.value,
      pattern: this.#pattern.value,
    });
  }

  /** @returns {Coding} */
  #codingChoice() {
    if (this.#whats.value === "stems-file") return { kind: "aac", bitrate: STEMS_FILE_BITRATE };
    if (this.#formats.value === "mp3") return { kind: "mp3", bitrate: 1000 * Number(this.#bitrates.value) };
    const bits = Number(this.#depths.value);
    return /** @type {Coding} */ ({ kind: this.#formats.value, bits });
  }

  /** @param {typeof WHATS[number]} what */
  #row(what) {
    const title = h("span", { id: uniqueId("export-what") }, t(`export.what.${what}`));
    const note = this.#notes[what];
    const input = this.#whats.inputs[what];
    note.id = uniqueId("export-note");
    input.setAttribute("aria-labelledby", title.id);
    input.setAttribute("aria-describedby", note.id);
    const row = [input, icon(ICONS[what]), h("span", { class: "export-row" }, title, note)];
    return what === "stem" ? [...row, this.#stem] : row;
  }

  /** Describes each row for this song. @param {Song} song @param {Catalogue} catalogue */
  #describe({ stems, desk }, catalogue) {
    const strips = stems.map(({ name }) => desk.strips[name]);
    const gains = stripGains(strips);
    const heard = stems.flatMap(({ name }, index) =>
      gains[index] > 0 ? [stemText(stemLabel(name, catalogue), gains[index])] : [],
    );
    const plain = gains.every((value) => value === 1) && strips.every(({ pan }) => pan === 0);
    const master = desk.master === 0 ? [] : [t("export.note.master", { gain: decibels(desk.master) })];
    this.silent = heard.length === 0 || toGain(desk.master) === 0;
    setText(this.#notes.mix, [...(plain ? [t("export.note.balance")] : heard), ...master].join(", "));
    setText(this.#notes.all, stems.map(({ name }) => stemLabel(name, catalogue)).join(", "));
    setText(this.#notes["stems-file"], t("export.note.stems-file"));
  }

  /** Shows the options that the choices allow. */
  #showOptions() {
    const file = this.#whats.value === "stems-file";
    const format = this.#formats.value;
    this.#coding.hidden = file;
    this.#depths.element.hidden = format === "mp3";
    this.#bitrates.element.hidden = format !== "mp3";
    this.#depths.labels[32].hidden = format === "flac";
    if (format === "flac" && Number(this.#depths.value) > DEEPEST_FLAC)
      this.#depths.choose(String(DEEPEST_FLAC));
    const isAdded = ["all", "stem"].includes(this.#whats.value) && !namesPart(this.#pattern.value);
    setText(this.#added, isAdded ? t("export.name-part") : "");
    this.#added.hidden = !isAdded;
    const noMp3 = this.#song !== null && !fitsMp3(this.#song);
    setText(this.#reason, noMp3 ? t("export.no-mp3") : "");
    this.#reason.hidden = !noMp3;
  }
}

/** @param {string} label @param {number} factor of its gain */
function stemText(label, factor) {
  return factor === 1 ? label : `${label} ${decibels(20 * Math.log10(factor))}`;
}

/**
 * A group of radio buttons.
 * @param {string} name accessible name
 * @param {string} id
 * @param {readonly string[]} values
 * @param {(value: string) => string} label
 */
function group(name, id, values, label) {
  /** @type {Record<string, HTMLInputElement>} */
  const inputs = {};
  /** @type {Record<string, HTMLLabelElement>} */
  const labels = {};
  for (const value of values) {
    inputs[value] = h("input", { type: "radio", name: id, value });
    labels[value] = h("label", {}, inputs[value], label(value));
  }
  const rows = h(
    "div",
    { class: id === "export-what" ? "export-rows" : "segmented" },
    ...Object.values(labels),
  );
  const element = h(
    "fieldset",
    { class: id, role: "radiogroup", "aria-label": name },
    h("legend", {}, name),
    rows,
  );
  return {
    element,
    inputs,
    labels,
    get value() {
      return values.find((value) => inputs[value].checked) ?? values[0];
    },
    choose(/** @type {string} */ value) {
      inputs[value].checked = true;
    },
  };
}

customElements.define("export-form", ExportForm);
