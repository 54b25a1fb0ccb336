/** The list of keys in the help, and the switch for those that are single characters. */

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { keysAreOn, SHORTCUTS, switchKeys } from "./shortcuts.js";

export class KeyList extends HTMLElement {
  connectedCallback() {
    const rows = SHORTCUTS.map(({ id, keys }) => row(keys, t(`help.keys.${id}`)));
    const box = h("input", { type: "checkbox" });
    box.checked = keysAreOn();
    box.addEventListener("change", () => switchKeys(box.checked));
    this.replaceChildren(
      h("dl", { class: "keys" }, ...rows, row(["?"], t("help.keys.help"))),
      h("label", { class: "keys-switch" }, box, t("help.keys.switch")),
      h("h3", {}, t("help.mouse.title")),
      h(
        "ul",
        { class: "mouse" },
        ...[
          t("help.mouse.click"),
          t("help.mouse.drag"),
          t("help.mouse.wheel"),
          t("help.mouse.solo"),
          t("help.mouse.reset"),
        ].map((text) => h("li", {}, text)),
      ),
    );
  }
}

/** @param {string[]} keys @param {string} text */
function row(keys, text) {
  const shown = keys.map((key) =>
    key === "…" ? "…" : h("kbd", {}, key.length > 1 ? t(`help.keys.key.${key}`) : key),
  );
  return h("div", {}, h("dt", {}, ...shown), h("dd", {}, text));
}

customElements.define("key-list", KeyList);
