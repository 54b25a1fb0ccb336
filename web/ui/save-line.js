/** The progress and outcome of a file that is written from the desk. Emits `export-cancel`. */

import { bar, drawBar, emit, h, setText } from "./dom.js";
import { t } from "./i18n.js";
import { exportErrorText, savedText, writingText } from "./texts.js";

/** @typedef {import("../app/export-controller.js").ExportState} ExportState */

export class SaveLine extends HTMLElement {
  #bar = bar();
  #name = h("span", { class: "save-name" });
  #progress = h("span", { class: "save-progress" });
  #saved = h("p", { role: "status", class: "good" });
  #error = h("p", { role: "alert", class: "bad" });
  cancel = h("button", { type: "button" }, t("action.cancel"));
  #row = h("div", { class: "save-row" }, this.#name, this.#progress, this.cancel);

  connectedCallback() {
    this.cancel.addEventListener("click", () => emit(this, "export-cancel"));
    this.append(this.#bar, this.#row, this.#saved, this.#error);
  }

  /** @param {ExportState | null} state of this desk */
  render(state) {
    const { writing = null, written = null, error = null } = state ?? {};
    this.#bar.hidden = this.#row.hidden = writing === null;
    setText(this.#name, writing?.name ?? "");
    setText(this.#progress, writing ? writingText(writing) : "");
    setText(this.#saved, written ? savedText(written) : "");
    setText(this.#error, exportErrorText(error));
    if (!writing) return;
    const name = t("export.progress", { file: writing.name });
    drawBar(this.#bar, name, writing.fraction, writingText(writing, ", "));
  }
}

customElements.define("save-line", SaveLine);
