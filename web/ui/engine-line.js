/** What does the work: device, threads, isolation. */

import { setText } from "./dom.js";
import { percent } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("../app/state.js").EngineState} EngineState */

export class EngineLine extends HTMLElement {
  /** @param {EngineState} engine */
  render(engine) {
    this.dataset.phase = engine.phase;
    setText(this, describe(engine));
  }
}

/** @param {EngineState} engine */
function describe({ phase, fraction, info }) {
  if (phase === "starting") return t("engine.starting", { percent: percent(fraction) });
  if (!info) return t(`engine.${phase}`);
  const device = info.device === "webgpu" ? (info.adapter ?? t("engine.webgpu")) : t("engine.wasm");
  const threads = info.device === "wasm" ? [t("engine.threads", { count: info.threads })] : [];
  const isolation = t(info.isolated ? "engine.isolated" : "engine.not-isolated");
  return [device, ...threads, isolation].join(", ");
}

customElements.define("engine-line", EngineLine);
