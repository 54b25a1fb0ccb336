/** How much of the song the stems do not add up to: measured when asked for, and said in place. */

import { h, setText, tell } from "./dom.js";
import { residualText } from "./export-texts.js";
import { percent } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/export-controller.js").ExportState} ExportState */
/** @typedef {import("../app/song.js").Song} Song */

export class NullTest extends HTMLElement {
  #ask = h("button", { type: "button", class: "link" }, t("null.ask"));
  #value = h("span", { role: "status" });

  connectedCallback() {
    this.title = t("export.null-title");
    this.#ask.addEventListener("click", () => tell(this, "null-test"));
    this.append(this.#ask, this.#value);
  }

  /** @param {Song} song @param {ExportState | null} state of this desk */
  render({ status, nullTest }, state) {
    const measured = state?.measured ?? null;
    this.hidden = status !== "done";
    this.#ask.hidden = measured !== null || nullTest !== null;
    if (measured !== null) setText(this.#value, t("export.measuring", { percent: percent(measured) }));
    else setText(this.#value, nullTest === null ? "" : t("null.value", { gain: residualText(nullTest) }));
  }
}

customElements.define("null-test", NullTest);
