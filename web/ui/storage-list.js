/**
 * The parts in the browser's storage, each with a button to remove it. Emits `storage-remove`, `offline-prepare` and
 * `offline-cancel`.
 */

import { pageError } from "../app/state.js";
import { bytesKept } from "../app/storage-space.js";
import { downloadBytes } from "../engine/devices/precision.js";
import { emit, h, setText } from "./dom.js";
import { day, percent, size } from "./format.js";
import { t } from "./i18n.js";
import { KeyedList } from "./keyed-list.js";
import { modelLabel } from "./texts.js";

/** @typedef {import("../app/state.js").PageState} PageState */
/** @typedef {{ id: string, label: string, bytes: number, model: boolean, kept: boolean }} Part */

export class StorageList extends HTMLElement {
  #parts = h("ul", { class: "storage-parts" });
  #space = h("p", { class: "storage-space" });
  #cancel = h("button", { type: "button", onclick: () => emit(this, "offline-cancel") });
  #all = h("button", { type: "button", onclick: () => this.#remove("everything") });
  /** By the part's id. */
  #rows = new KeyedList(this.#parts, (id) => new PartRow(id));

  connectedCallback() {
    this.#all.append(t("storage.remove-all"));
    this.#cancel.append(t("action.cancel-preparing"));
    this.append(this.#parts, h("div", { class: "storage-end" }, this.#space, this.#cancel, this.#all));
  }

  /** @param {PageState} state */
  render(state) {
    const parts = partsOf(state);
    const preparing = state.offline.phase === "preparing";
    setText(this.#space, spaceText(state));
    this.#cancel.hidden = !preparing;
    this.#all.hidden = preparing;
    this.#all.disabled = !parts.some(({ kept }) => kept);
    const focused = this.#parts.contains(document.activeElement);
    const rows = this.#rows.show(parts.map(({ id }) => id));
    for (const [place, part] of parts.entries()) rows[place].render(part, preparing);
    if (focused && !canBePressed(document.activeElement)) (preparing ? this.#cancel : this.#all).focus();
  }

  /** @param {string} what */
  #remove(what) {
    emit(this, "storage-remove", what);
  }
}

class PartRow {
  #label = h("span");
  #size = h("span", { class: "storage-size" });
  #action = h("button", { type: "button" });
  #kept = false;

  /** @param {string} id */
  constructor(id) {
    this.element = h("li", {}, this.#label, this.#size, this.#action);
    this.#action.addEventListener("click", () => {
      emit(this.element, this.#kept ? "storage-remove" : "offline-prepare", id);
    });
  }

  /** @param {Part} part @param {boolean} preparing */
  render({ label, bytes, model, kept }, preparing) {
    const about = kept ? size(bytes) : t("storage.absent", { size: size(bytes) });
    const name = kept ? "remove" : "download";
    this.#kept = kept;
    setText(this.#label, label);
    setText(this.#size, bytes ? about : t("storage.none"));
    setText(this.#action, t(`storage.${name}`));
    this.#action.setAttribute("aria-label", t(`storage.${name}-one`, { name: label }));
    this.#action.disabled = !kept && preparing;
    this.#action.hidden = !kept && !model;
  }
}

/** @param {Element | null} element @returns {boolean} false for one that has gone, too */
function canBePressed(element) {
  return element instanceof HTMLButtonElement && !element.disabled && !element.hidden;
}

/** @param {PageState} state */
function spaceText(state) {
  const { phase, fraction } = state.offline;
  const { usage, quota } = state.storage;
  const problem = pageError(state);
  if (phase === "preparing") return t("offline.preparing", { percent: percent(fraction) });
  if (problem) return t(`error.${problem.code}.title`);
  return t("storage.space", { usage: size(usage), quota: size(quota) });
}

/** @param {PageState} state @returns {Part[]} */
function partsOf({ storage: { shell, runtime, models: ids }, models, songs, engine }) {
  return [
    { id: "shell", label: t("storage.shell"), bytes: shell, model: false, kept: shell > 0 },
    { id: "runtime", label: t("storage.runtime"), bytes: runtime, model: false, kept: runtime > 0 },
    ...models.flatMap((each) => {
      const { id } = each;
      const bytes = downloadBytes(each, engine.info);
      return bytes ? [{ id, label: modelLabel(each), bytes, model: true, kept: ids.includes(id) }] : [];
    }),
    ...songs.flatMap((song) => {
      const { id, name, added } = song;
      const label = t("storage.song", { song: name, date: day(added) });
      return song.folder ? [{ id, label, bytes: bytesKept(song), model: false, kept: true }] : [];
    }),
  ];
}

customElements.define("storage-list", StorageList);
