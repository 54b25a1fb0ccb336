/** The choice of model and quality, and the button Separate. Emits `model-choose`, `preset-choose` and `separate`. */

import { estimate } from "../app/estimates.js";
import { chosenPreset } from "../app/state.js";
import { bytesFree, bytesNeeded, hasSpaceFor } from "../app/storage-space.js";
import { downloadBytes } from "../engine/devices/precision.js";
import { emit, h, setText, uniqueId } from "./dom.js";
import { approximateTime, size } from "./format.js";
import { t } from "./i18n.js";
import { setStem, stemLabel } from "./stems.js";
import { modelLabel, modelNotice, modelSummary } from "./texts.js";

/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("./stems.js").Catalogue} Catalogue */

const PRESETS = ["fast", "standard", "best"];

export class ModelPicker extends HTMLElement {
  #cards = h("div", { class: "cards" });
  #presets = h("div", { class: "segmented" });
  #quality = h("div", { class: "quality", role: "radiogroup" });
  #separate = h("button", { type: "button", class: "primary large" }, t("action.separate"));
  #limit = h("p", { class: "limit" });
  #space = h("p", { class: "reason" });
  #reason = h("p", { class: "reason", id: uniqueId("reason") });
  /** @type {Map<string, { input: HTMLInputElement, download: HTMLElement, time: HTMLElement }>} */
  #models = new Map();

  connectedCallback() {
    const group = h(
      "fieldset",
      { class: "models", role: "radiogroup" },
      h("legend", {}, t("model.label")),
      this.#cards,
      this.#limit,
    );
    group.setAttribute("aria-label", t("model.label"));
    this.#quality.setAttribute("aria-label", t("quality.label"));
    // No legend: engines differ on where one stands that is not above its group.
    this.#quality.append(
      h("span", { class: "quality-label", "aria-hidden": "true" }, t("quality.label")),
      this.#presets,
    );
    this.#presets.append(...PRESETS.map(presetChoice));
    this.#separate.setAttribute("aria-describedby", this.#reason.id);
    this.#separate.addEventListener("click", () => emit(this, "separate"));
    this.append(
      group,
      h(
        "div",
        { class: "start" },
        this.#quality,
        h("div", { class: "reasons" }, this.#space, this.#reason),
        this.#separate,
      ),
    );
    this.addEventListener("change", (event) => {
      const { name, value } = /** @type {HTMLInputElement} */ (event.target);
      emit(this, name === "model" ? "model-choose" : "preset-choose", value);
    });
  }

  /**
   * @param {PageState} state
   * @param {Song | null} song
   */
  render(state, song) {
    const { models, catalogue, model, preset, engine } = state;
    if (this.#models.size !== models.length)
      this.#cards.replaceChildren(...models.map((each) => this.#card(each, catalogue)));
    for (const each of models) {
      const card = this.#models.get(each.id);
      if (!card) continue;
      card.input.checked = each === model;
      setText(card.download, downloadText(each, engine));
      card.time.hidden = !song;
      setText(card.time, timeText(each, preset, song, engine));
    }
    setText(this.#limit, limitText(state));
    this.#limit.hidden = this.#limit.textContent === "";
    this.#quality.hidden = !model || Object.keys(model.presets).length < 2;
    for (const input of this.#presets.querySelectorAll("input")) {
      input.checked = input.value === chosenPreset(state);
      /** @type {HTMLElement} */ (input.parentElement).hidden = !model || !(input.value in model.presets);
    }
    const reason = reasonAgainst(state, song);
    this.#separate.disabled = reason !== "";
    setText(this.#reason, reason);
    setText(this.#space, reason ? "" : spaceText(state, song));
  }

  focusSeparate() {
    this.#separate.focus();
  }

  /** @param {Model} model @param {Catalogue} catalogue */
  #card(model, catalogue) {
    const titleId = uniqueId("model");
    const details = uniqueId("model-details");
    const input = h("input", { type: "radio", name: "model", value: model.id, "aria-labelledby": titleId });
    input.setAttribute("aria-describedby", details);
    const download = h("span");
    const time = h("span", { class: "time" });
    this.#models.set(model.id, { input, download, time });
    return h(
      "div",
      { class: "card" },
      h("label", {}, input, h("span", { id: titleId, class: "card-title" }, modelLabel(model))),
      h(
        "div",
        { id: details, class: "card-details" },
        h("p", { class: "card-summary" }, modelSummary(model)),
        h("ul", { class: "chips" }, ...model.stems.map((stem) => chip(stem, catalogue))),
        h("p", { class: "card-cost" }, download, time),
      ),
      licence(model),
    );
  }
}

/** @param {string} stem @param {Catalogue} catalogue */
function chip(stem, catalogue) {
  const element = h("li", { class: "chip" }, stemLabel(stem, catalogue));
  setStem(element, stem, catalogue);
  return element;
}

/** @param {Model} model */
function licence({ id, licence: terms, source }) {
  if (!terms || !source) return h("p", { class: "card-licence" }, t("model.own"));
  const link = h("a", { href: terms.url, target: "_blank", rel: "noreferrer" }, t("model.licence"));
  return h(
    "p",
    { class: "card-licence" },
    `${modelNotice(id, terms.notice)} ${t(source.version ? "model.source" : "model.address", source)} `,
    link,
  );
}

/** @param {string} preset */
function presetChoice(preset) {
  const input = h("input", { type: "radio", name: "preset", value: preset });
  return h("label", {}, input, h("span", {}, t(`quality.${preset}`)));
}

/** @param {Model} model @param {PageState["engine"]} engine */
function downloadText(model, { info }) {
  const bytes = downloadBytes(model, info);
  return bytes ? t("model.download", { size: size(bytes) }) : t("model.no-download");
}

/**
 * @param {Model} model
 * @param {string} preset
 * @param {Song | null} song
 * @param {PageState["engine"]} engine
 */
function timeText(model, preset, song, { info }) {
  if (!song?.duration || !info) return t("model.measuring");
  const seconds = estimate(model, preset, song.duration, info);
  return t("model.time", { time: approximateTime(seconds) });
}

/** @param {PageState} state @returns {string} the reason why another model is offered first, or an empty text */
function limitText({ models, limits }) {
  const heavy = models.find(({ id }) => limits[id]);
  const light = models.find(({ id }) => !limits[id]);
  if (!heavy || !light) return "";
  return t(`limit.${limits[heavy.id]}`, { model: modelLabel(heavy), other: modelLabel(light) });
}

/**
 * @param {PageState} state
 * @param {Song | null} song
 * @returns {string} the storage that the stems need; empty until it is known
 */
function spaceText(state, song) {
  if (!song?.format || !song.folder || !state.model || !state.storage.quota) return "";
  const facts = { needed: size(bytesNeeded(song, state.model)), free: size(bytesFree(state)) };
  return t("space.enough", facts);
}

/**
 * @param {PageState} state
 * @param {Song | null} song
 * @returns {string} the reason that keeps the song from being separated now, or an empty text
 */
function reasonAgainst(state, song) {
  if (!song) return t("reason.no-song");
  if (song.status === "failed" && !song.format) return t("reason.unreadable");
  if (song.format && state.model && !hasSpaceFor(state, song, state.model)) return t("reason.storage");
  return "";
}

customElements.define("model-picker", ModelPicker);
