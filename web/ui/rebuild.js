/** The page in another language, with nothing lost: its elements are made anew, and all that they show is state. */

import { translate } from "./i18n.js";

export function rebuild() {
  for (const old of document.body.querySelectorAll("*")) {
    const inAnother = !old.isConnected; // which has gone with it, and brings its own
    if (inAnother || !customElements.get(old.localName)) continue;
    const fresh = document.createElement(old.localName);
    if (old.id) fresh.id = old.id;
    old.replaceWith(fresh);
  }
  translate(document);
}
