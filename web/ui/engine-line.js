/** What does the work: device, threads, isolation; what has failed there; and the choice of another device. */

import { settingsOf } from "../engine/devices/candidates.js";
import { h, setText, tell } from "./dom.js";
import { fallbackText } from "./fallback-text.js";
import { percent } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/state.js").EngineState} EngineState */

export class EngineLine extends HTMLElement {
  #text = h("span");
  #failed = h("span", { class: "failed" });
  #choice = h("select", { "aria-label": t("engine.choice") });

  connectedCallback() {
    this.#choice.addEventListener("change", () => tell(this, "device-choose", this.#choice.value));
    this.append(this.#text, this.#failed, this.#choice);
  }

  /** @param {EngineState} engine */
  render(engine) {
    this.dataset.phase = engine.phase;
    setText(this.#text, describe(engine));
    setText(this.#failed, engine.fallback ? fallbackText(engine.fallback) : "");
    this.#offer(engine);
  }

  /** @param {EngineState} engine */
  #offer({ phase, choice, choices }) {
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
function describe({ phase, fraction, info, choice, measured, fallback }) {
  if (phase === "starting") return t("engine.starting", { percent: percent(fraction) });
  if (!info) return t(`engine.${phase}`);
  const device = info.device === "webgpu" ? (info.adapter ?? t("engine.webgpu")) : t("engine.wasm");
  const threads = info.device === "wasm" ? [threadsText(info)] : [];
  const fastest = choice === "auto" && !fallback && measured !== null && measured > 1;
  const why = fastest ? [t("engine.measured", { count: measured })] : [];
  const isolation = t(info.isolated ? "engine.isolated" : "engine.not-isolated");
  return [device, ...threads, ...why, isolation].join(", ");
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

customElements.define("engine-line", EngineLine);
