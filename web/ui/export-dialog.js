/** The export dialog: what to write, how far it is, and what came of it. */

import { clips, loweringFor, peakOf, planFor } from "../app/export-plan.js";
import { h, setText, tell, uniqueId } from "./dom.js";
import { ExportForm } from "./export-form.js";
import { LevelReport } from "./export-levels.js";
import { percent, size, span } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";

/** @typedef {import("../app/export-desk.js").ExportState} ExportState */
/** @typedef {import("../app/export-plan.js").ExportChoice} ExportChoice */
/** @typedef {import("../app/song.js").Song} Song */
/** @typedef {import("../app/state.js").PageState} PageState */

export class ExportDialog extends HTMLElement {
  #title = h("h2", { id: uniqueId("export-title") }, t("export.title"));
  #subtitle = h("p", { class: "export-song" });
  #form = new ExportForm();
  #levels = new LevelReport();
  #body = h("div", { class: "export-body" });
  #error = h("p", { class: "export-error", role: "alert" });
  #bar = h("div", { role: "progressbar", class: "bar", "aria-valuemin": 0, "aria-valuemax": 100 }, h("div"));
  #state = h("p", { class: "export-state", role: "status" });
  #file = h("p", { class: "export-file" });
  #close = h("button", { type: "button", class: "quiet" }, icon("x"));
  #cancel = h("button", { type: "button" }, t("action.cancel"));
  #write = h("button", { type: "submit", class: "primary" }, icon("download"), t("export.write"));
  #dialog = h("dialog", { class: "export", "aria-labelledby": this.#title.id });
  /** @type {ExportState | null} */
  #shown = null;

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
    this.#body.append(this.#form, this.#levels, this.#error);
    this.#dialog.append(form);
    this.append(this.#dialog);
    this.#form.addEventListener("input", () => this.#draw());
    this.#levels.addEventListener("input", () => this.#draw());
    this.#close.addEventListener("click", () => this.#dialog.close());
    this.#cancel.addEventListener("click", () => tell(this, "export-cancel"));
    this.#dialog.addEventListener("cancel", (event) => {
      if (this.#shown?.writing) event.preventDefault(); // what is being written is cancelled by its own button
    });
    this.#dialog.addEventListener("close", () => tell(this, "export-close"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** @param {PageState} state */
  render({ export: state }) {
    const before = this.#shown;
    this.#shown = state;
    if (!state) return;
    if (!this.#dialog.open) {
      setText(this.#subtitle, state.song.name);
      this.#form.build(state.song);
      this.#dialog.showModal();
      this.#form.focusFirst();
    }
    this.#draw();
    if (state.writing && !before?.writing) this.#cancel.focus();
    if (before?.writing && !state.writing) this.#write.focus();
  }

  #draw() {
    const state = this.#shown;
    if (!state) return;
    const { song, levels, measured, writing, written, error } = state;
    const choice = this.#form.choice;
    const peak = levels && peakOf(song, choice, levels);
    this.#levels.render({ levels, measured, peak, clips: clips(choice.coding) });
    const { name, bytes } = this.#plan(song, choice);
    const silent = choice.what === "mix" && this.#form.silent;
    this.#form.inert = this.#levels.inert = writing !== null;
    this.#dialog.classList.toggle("writing", writing !== null);
    this.#body.tabIndex = writing ? 0 : -1; // so that it can be scrolled while nothing in it has the focus
    this.#bar.hidden = this.#cancel.hidden = writing === null;
    this.#close.hidden = writing !== null;
    this.#write.hidden = writing !== null;
    this.#write.disabled = silent;
    setText(this.#file, writing?.name ?? name);
    setText(this.#state, silent ? t("export.silent") : stateText(state, bytes));
    this.#state.classList.toggle("good", written !== null && writing === null);
    setText(
      this.#error,
      error ? `${t("export.failed")} ${t(`error.${error.code}.hint`)} (${error.code})` : "",
    );
    if (writing) this.#drawBar(writing);
  }

  /** @param {NonNullable<ExportState["writing"]>} writing */
  #drawBar({ name, fraction, secondsLeft }) {
    const left = secondsLeft === null ? "" : t("job.left", { time: span(secondsLeft) });
    this.#bar.setAttribute("aria-label", t("export.progress", { file: name }));
    this.#bar.setAttribute("aria-valuenow", (100 * fraction).toFixed(1));
    this.#bar.setAttribute("aria-valuetext", [percent(fraction), left].filter(Boolean).join(", "));
    this.#bar.style.setProperty("--fraction", String(fraction));
  }

  #submit() {
    const state = this.#shown;
    if (!state || state.writing || this.#write.disabled) return;
    this.#form.remember();
    tell(this, "export-write", this.#plan(state.song, this.#form.choice));
  }

  /** @param {Song} song @param {ExportChoice} choice */
  #plan(song, choice) {
    const { levels } = this.#shown ?? {};
    const lowering = levels && this.#levels.lower ? loweringFor(peakOf(song, choice, levels)) : 0;
    return planFor(song, choice, clips(choice.coding) ? lowering : 0, label);
  }
}

/** @param {string} part a stem, or `mix` */
function label(part) {
  return part === "mix" ? t("export.part.mix") : t(`stem.${part}`);
}

/** @param {ExportState} state @param {number} bytes */
function stateText({ writing, written }, bytes) {
  if (writing) {
    const left = writing.secondsLeft === null ? "" : t("job.left", { time: span(writing.secondsLeft) });
    return [percent(writing.fraction), left].filter(Boolean).join(" · ");
  }
  if (!written) return t("export.size", { size: size(bytes) });
  const saved = t("export.saved", { file: written.name });
  return written.clipped ? `${saved} ${t("export.clipped", { count: written.clipped })}` : saved;
}

customElements.define("export-dialog", ExportDialog);
