/** Where songs come in: a button, and the whole window as a target for files. */

import { h, setText, tell } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";

/** @typedef {import("../app/state.js").PageState} PageState */

/** Video files hold songs too. */
const ACCEPT = "audio/*,video/mp4,video/webm,video/quicktime,.flac,.m4a,.ogg,.opus,.aif,.aiff,.mkv";

export class DropZone extends HTMLElement {
  #headline = h("p", { class: "drop-headline" });
  #input = h("input", { type: "file", multiple: true, accept: ACCEPT, hidden: true });
  #gone = new AbortController();

  connectedCallback() {
    this.#input.addEventListener("change", () => {
      this.#take(this.#input.files);
      this.#input.value = "";
    });
    const button = h("button", { type: "button", onclick: () => this.#input.click() });
    button.append(icon("plus"), t("drop.choose"));
    this.append(this.#input, this.#headline, button, h("p", { class: "drop-formats" }, t("drop.formats")));
    this.#catchWindow();
  }

  disconnectedCallback() {
    this.#gone.abort();
  }

  /** @param {PageState} state */
  render({ songs }) {
    this.classList.toggle("compact", songs.length > 0);
    setText(this.#headline, t(songs.length > 0 ? "drop.more" : "drop.headline"));
    this.querySelector("button")?.classList.toggle("primary", songs.length === 0);
  }

  #catchWindow() {
    const { signal } = this.#gone;
    const over = (/** @type {DragEvent} */ event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.classList.add("over");
    };
    const leave = (/** @type {DragEvent} */ event) => {
      if (!event.relatedTarget) this.classList.remove("over");
    };
    const drop = (/** @type {DragEvent} */ event) => {
      this.classList.remove("over");
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.#take(event.dataTransfer?.files);
    };
    addEventListener("dragover", over, { signal });
    addEventListener("dragleave", leave, { signal });
    addEventListener("drop", drop, { signal });
  }

  /** @param {FileList | null | undefined} files */
  #take(files) {
    if (files?.length) tell(this, "songs-chosen", Array.from(files));
  }
}

/** @param {DragEvent} event */
function carriesFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

customElements.define("drop-zone", DropZone);
