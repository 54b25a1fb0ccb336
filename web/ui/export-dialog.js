/** The export dialog: choices, progress and outcome. Emits `export-write`, `export-cancel` and `export-close`. */

import { clips, loweringFor, peakOf, planFor } from "../app/export-plan.js";
import { bar, drawBar, emit, h, icon, setText, uniqueId } from "./dom.js";
import { ExportForm } from "./export-form.js";
import { ExportMeasurement } from "./export-measurement.js";
import { size } from "./format.js";
import { t } from "./i18n.js";
import { partLabel } from "./stems.js";
import { exportErrorText, savedText, writingText } from "./texts.js";

/** @typedef {import("../app/export-controller.js").ExportState} ExportState */
/** @typedef {import("../app/export-plan.js").ExportChoice} ExportChoice */
/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */

export class ExportDialog extends HTMLElement {
  #title = h("h2", { id: uniqueId("export-title") }, t("export.title"));
  #subtitle = h("p", { class: "export-song" });
  #form = new ExportForm();
  #measurement = new ExportMeasurement();
  #body = h("div", { class: "export-body" });
  #error = h("p", { class: "export-error", role: "alert" });
  #bar = bar();
  #state = h("p", { class: "export-state", role: "status" });
  #file = h("p", { class: "export-file" });
  #close = h("button", { type: "button", class: "quiet" }, icon("x"));
  #cancel = h("button", { type: "button" }, t("action.cancel"));
  #write = h("button", { type: "submit", class: "primary" }, icon("download"), t("export.write"));
  #dialog = h("dialog", { class: "export", "aria-labelledby": this.#title.id });
  /** @type {ExportState | null} */
  #exported = null;
  /** @type {PageState["catalogue"]} */
  #catalogue = {};

  connectedCallback() {
    this.#close.setAttribute("aria-label", t("help.close"));
    const form = h(
      "form",
      {},
      h("header", {}, h("div", {}, this.#title, this.#subtitle), this.#close),
      this.#body,
      h(
        "footer",
        {},
        this.#bar,
        h("div", { class: "export-text" }, this.#file, this.#state),
        this.#cancel,
        this.#write,
      ),
    );
    this.#body.append(this.#form, this.#measurement, this.#error);
    this.#dialog.append(form);
    this.append(this.#dialog);
    this.#form.addEventListener("input", () => this.#draw());
    this.#measurement.addEventListener("input", () => this.#draw());
    this.#close.addEventListener("click", () => this.#dialog.close());
    this.#cancel.addEventListener("click", () => emit(this, "export-cancel"));
    this.#dialog.addEventListener("cancel", (event) => {
      if (this.#exported?.writing) event.preventDefault(); // a running export has its own button
    });
    this.#dialog.addEventListener("close", () => emit(this, "export-close"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** @param {PageState} state */
  render({ export: exported, catalogue }) {
    const before = this.#exported;
    const state = exported?.place === "dialog" ? exported : null;
    this.#exported = state;
    this.#catalogue = catalogue;
    if (!state) {
      this.#dialog.close();
      return;
    }
    // Not when it is merely closed: its `close` event, which ends the state, comes later than a report.
    if (!before) {
      setText(this.#subtitle, state.song.name);
      this.#form.build(state.song, catalogue);
      this.#dialog.showModal();
      this.#form.focusFirst();
    }
    this.#draw();
    if (state.writing && !before?.writing) this.#cancel.focus();
    if (before?.writing && !state.writing) this.#write.focus();
  }

  #draw() {
    const state = this.#exported;
    if (!state) return;
    const { song, measurement, measured, writing, written, error } = state;
    const choice = this.#form.choice;
    const peak = measurement && peakOf(song, choice, measurement);
    this.#measurement.render({ measurement, measured: measured ?? 0, peak, clips: clips(choice.coding) });
    const { name, bytes } = this.#plan(song, choice);
    const silent = choice.what === "mix" && this.#form.silent;
    this.#form.inert = this.#measurement.inert = writing !== null;
    this.#dialog.classList.toggle("writing", writing !== null);
    this.#body.tabIndex = writing ? 0 : -1; // keys can scroll it while nothing in it is focusable
    this.#bar.hidden = this.#cancel.hidden = writing === null;
    this.#close.hidden = writing !== null;
    this.#write.hidden = writing !== null;
    this.#write.disabled = silent;
    setText(this.#file, writing?.name ?? name);
    setText(this.#state, silent ? t("export.silent") : stateText(state, bytes));
    this.#state.classList.toggle("good", written !== null && writing === null);
    setText(this.#error, exportErrorText(error));
    if (!writing) return;
    const label = t("export.progress", { file: writing.name });
    drawBar(this.#bar, label, writing.fraction, writingText(writing, ", "));
  }

  #submit() {
    const state = this.#exported;
    if (!state || state.writing || this.#write.disabled) return;
    this.#form.remember();
    emit(this, "export-write", this.#plan(state.song, this.#form.choice));
  }

  /** @param {Song} song @param {ExportChoice} choice */
  #plan(song, choice) {
    const { measurement } = this.#exported ?? {};
    const lowering =
      measurement && this.#measurement.lower ? loweringFor(peakOf(song, choice, measurement)) : 0;
    const label = (/** @type {string} */ part) => partLabel(part, this.#catalogue);
    return planFor(song, choice, clips(choice.coding) ? lowering : 0, label, this.#catalogue);
  }
}

/** @param {ExportState} state @param {number} bytes */
function stateText({ writing, written }, bytes) {
  if (writing) return writingText(writing);
  return written ? savedText(written) : t("export.size", { size: size(bytes) });
}

customElements.define("export-dialog", ExportDialog);
