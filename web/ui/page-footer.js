/** The two lines of the footer: the device, and the readiness for offline use. */

import { settingsOf } from "../engine/devices/candidates.js";
import { emit, h, setText } from "./dom.js";
import { percent } from "./format.js";
import { t } from "./i18n.js";
import { fallbackText } from "./texts.js";

/** @typedef {import("../app/state.js").EngineState} EngineState */
/** @typedef {import("../app/state.js").PageState} PageState */

/** The device, its threads and the last fallback. Emits `device-choose`. */
export class EngineLine extends HTMLElement {
  #text = h("span");
  #fallback = h("span", { class: "fallback" });
  #choice = h("select", { "aria-label": t("engine.choice") });

  connectedCallback() {
    this.#choice.addEventListener("change", () => emit(this, "device-choose", this.#choice.value));
    this.append(this.#text, this.#fallback, this.#choice);
  }

  /** @param {PageState} state */
  render({ engine }) {
    this.dataset.phase = engine.phase;
    setText(this.#text, engineText(engine));
    setText(this.#fallback, engine.fallback ? fallbackText(engine.fallback) : "");
    this.#renderChoice(engine);
  }

  /** @param {EngineState} engine */
  #renderChoice({ phase, choice, choices }) {
    this.#choice.hidden = phase === "asleep" || choices.length < 3; // without threads there is nothing to choose
    const names = choices.includes(choice) ? choices : [...choices, choice];
    const offered = Array.from(this.#choice.options, ({ value }) => value);
    if (offered.join() !== names.join()) {
      this.#choice.replaceChildren(...names.map((name) => h("option", { value: name }, choiceText(name))));
    }
    if (this.#choice.value !== choice) this.#choice.value = choice;
  }
}

/** @param {EngineState} engine */
function engineText({ phase, fraction, info, choice, measured, fallback }) {
  if (phase === "starting") return t("engine.starting", { percent: percent(fraction) });
  if (!info) return t(`engine.${phase}`);
  const gpu = info.device === "webgpu";
  const device = gpu ? (info.adapter ?? t("engine.webgpu")) : t("engine.wasm");
  const form = gpu ? t(info.fp16 ? "engine.float16" : "engine.float32") : threadsText(info);
  const fastest = choice === "auto" && !fallback && measured !== null && measured > 1;
  const reason = fastest ? [t("engine.measured", { count: measured })] : [];
  return [device, form, ...reason, t(`engine.${info.isolation}`)].join(", ");
}

/** @param {import("../engine/protocol.js").EngineInfo} info */
function threadsText({ workers, threads: count }) {
  return workers > 1 ? t("engine.workers", { workers, count }) : t("engine.threads", { count });
}

/** @param {string} name of a device's settings */
function choiceText(name) {
  const { device, workers = 1, threads: count = 1 } = settingsOf(name);
  if (workers > 1) return t("engine.choice.workers", { workers, count });
  return t(`engine.choice.${device}`, { count });
}

/** The readiness for offline use. Emits `offline-prepare` and `offline-cancel`. */
export class OfflineLine extends HTMLElement {
  #ready = h("span", { role: "status" });
  #progress = h("span");
  #button = h("button", { type: "button", class: "link" });
  #preparing = false;

  connectedCallback() {
    this.#button.addEventListener("click", () => {
      emit(this, this.#preparing ? "offline-cancel" : "offline-prepare");
    });
    this.append(this.#ready, this.#progress, this.#button);
  }

  /** @param {PageState} state */
  render({ offline: { phase, fraction } }) {
    this.#preparing = phase === "preparing";
    setText(this.#ready, phase === "ready" ? t("offline.ready") : "");
    setText(this.#progress, this.#preparing ? t("offline.preparing", { percent: percent(fraction) }) : "");
    setText(this.#button, t(this.#preparing ? "action.cancel-preparing" : "offline.prepare"));
    this.#button.hidden = phase === "ready" || phase === "impossible";
  }
}

customElements.define("engine-line", EngineLine);
customElements.define("offline-line", OfflineLine);
