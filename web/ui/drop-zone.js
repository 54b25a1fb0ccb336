/**
 * The buttons that choose songs and folders, and the whole window as a drop target. Emits `songs-chosen` and
 * `link-dropped`.
 */

import { canChooseFolders, chosenFiles, droppedFiles } from "../platform/dropped-files.js";
import { emit, h, icon, setText } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {import("../platform/dropped-files.js").FoundFile} FoundFile */

/** Songs in video files count. */
const ACCEPT = "audio/*,video/mp4,video/webm,video/quicktime,.flac,.m4a,.ogg,.opus,.aif,.aiff,.mkv";

export class DropZone extends HTMLElement {
  #headline = h("p", { class: "drop-headline" });
  #input = h("input", { type: "file", multiple: true, accept: ACCEPT, hidden: true });
  #folder = h("input", { type: "file", multiple: true, webkitdirectory: true });
  #notice = h("p", { class: "drop-notice", role: "status" });
  #abort = new AbortController();

  connectedCallback() {
    for (const input of [this.#input, this.#folder]) {
      input.addEventListener("change", () => {
        this.#add(chosenFiles(input.files ?? []));
        input.value = "";
      });
    }
    const button = h("button", { type: "button", onclick: () => this.#input.click() });
    button.append(icon("plus"), t("drop.choose"));
    const folder = h("button", { type: "button", onclick: () => this.#folder.click() }, t("drop.folder"));
    folder.hidden = !canChooseFolders();
    const buttons = h("div", { class: "drop-buttons" }, button, folder);
    this.append(
      this.#input,
      this.#headline,
      buttons,
      h("p", { class: "drop-formats" }, t("drop.formats")),
      this.#notice,
    );
    this.#acceptDrops();
  }

  disconnectedCallback() {
    this.#abort.abort();
  }

  /** @param {PageState} state */
  render({ songs, arrival }) {
    const notice = noticeText(arrival);
    setText(this.#notice, notice);
    this.#notice.hidden = notice === "";
    this.classList.toggle("compact", songs.length > 0);
    setText(this.#headline, t(songs.length > 0 ? "drop.more" : "drop.headline"));
    this.querySelector("button")?.classList.toggle("primary", songs.length === 0);
  }

  #acceptDrops() {
    const { signal } = this.#abort;
    const over = (/** @type {DragEvent} */ event) => {
      if (!carriesFiles(event) && !carriesLink(event)) return;
      event.preventDefault();
      this.classList.add("over");
    };
    const leave = (/** @type {DragEvent} */ event) => {
      if (!event.relatedTarget) this.classList.remove("over");
    };
    const drop = (/** @type {DragEvent} */ event) => {
      this.classList.remove("over");
      const transfer = event.dataTransfer;
      if (transfer && carriesFiles(event)) {
        event.preventDefault();
        void droppedFiles(transfer).then((found) => this.#add(found));
      } else if (carriesLink(event)) {
        event.preventDefault();
        emit(this, "link-dropped");
      }
    };
    addEventListener("dragover", over, { signal });
    addEventListener("dragleave", leave, { signal });
    addEventListener("drop", drop, { signal });
  }

  /** @param {FoundFile[]} found */
  #add(found) {
    emit(this, "songs-chosen", found);
  }
}

/** @param {DragEvent} event */
function carriesFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** A link that comes from elsewhere, and not into a field for text. @param {DragEvent} event */
function carriesLink({ dataTransfer, target }) {
  const isField = target instanceof Element && target.matches("input, select, textarea");
  return !isField && (dataTransfer?.types.includes("text/uri-list") ?? false);
}

/** @param {PageState["arrival"]} arrival */
function noticeText(arrival) {
  if (arrival === null) return "";
  if (arrival === "link") return t("drop.link");
  const { songs, passedOver } = arrival;
  const passed = passedOver > 0 ? t("drop.passed", { count: passedOver }) : "";
  return [songs === 0 ? t("drop.none") : "", passed].filter(Boolean).join(" ");
}

customElements.define("drop-zone", DropZone);
