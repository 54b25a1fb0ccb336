/** A file that is written from the desk: its name, how far it is, and what came of it. */

import { h, setText, tell } from "./dom.js";
import { drawBar, failureText, progressText, savedText } from "./export-texts.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/export-controller.js").ExportState} ExportState */

export class SaveLine extends HTMLElement {
  #bar = h("div", { role: "progressbar", class: "bar", "aria-valuemin": 0, "aria-valuemax": 100 }, h("div"));
  #name = h("span", { class: "save-name" });
  #progress = h("span", { class: "save-progress" });
  #saved = h("p", { role: "status", class: "good" });
  #error = h("p", { role: "alert", class: "bad" });
  cancel = h("button", { type: "button" }, t("action.cancel"));
  #row = h("div", { class: "save-row" }, this.#name, this.#progress, this.cancel);

  connectedCallback() {
    this.cancel.addEventListener("click", () => tell(this, "export-cancel"));
    this.append(this.#bar, this.#row, this.#saved, this.#error);
  }

  /** @param {ExportState | null} state of this desk */
  render(state) {
    const { writing = null, written = null, error = null } = state ?? {};
    this.#bar.hidden = this.#row.hidden = writing === null;
    setText(this.#name, writing?.name ?? "");
    setText(this.#progress, writing ? progressText(writing) : "");
    setText(this.#saved, written ? savedText(written) : "");
    setText(this.#error, failureText(error));
    if (writing) drawBar(this.#bar, writing);
  }
}

customElements.define("save-line", SaveLine);
