/** The button that chooses songs, and the whole window as a drop target. Emits `songs-chosen`. */

import { emit, h, icon, setText } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/state.js").PageState} PageState */

/** Songs in video files count. */
const ACCEPT = "audio/*,video/mp4,video/webm,video/quicktime,.flac,.m4a,.ogg,.opus,.aif,.aiff,.mkv";

export class DropZone extends HTMLElement {
  #headline = h("p", { class: "drop-headline" });
  #input = h("input", { type: "file", multiple: true, accept: ACCEPT, hidden: true });
  #abort = new AbortController();

  connectedCallback() {
    this.#input.addEventListener("change", () => {
      this.#add(this.#input.files);
      this.#input.value = "";
    });
    const button = h("button", { type: "button", onclick: () => this.#input.click() });
    button.append(icon("plus"), t("drop.choose"));
    this.append(this.#input, this.#headline, button, h("p", { class: "drop-formats" }, t("drop.formats")));
    this.#acceptDrops();
  }

  disconnectedCallback() {
    this.#abort.abort();
  }

  /** @param {PageState} state */
  render({ songs }) {
    this.classList.toggle("compact", songs.length > 0);
    setText(this.#headline, t(songs.length > 0 ? "drop.more" : "drop.headline"));
    this.querySelector("button")?.classList.toggle("primary", songs.length === 0);
  }

  #acceptDrops() {
    const { signal } = this.#abort;
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
      this.#add(event.dataTransfer?.files);
    };
    addEventListener("dragover", over, { signal });
    addEventListener("dragleave", leave, { signal });
    addEventListener("drop", drop, { signal });
  }

  /** @param {FileList | null | undefined} files */
  #add(files) {
    if (files?.length) emit(this, "songs-chosen", Array.from(files));
  }
}

/** @param {DragEvent} event */
function carriesFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

customElements.define("drop-zone", DropZone);
