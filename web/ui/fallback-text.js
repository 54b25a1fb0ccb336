/** What has failed in the engine, and how it goes on, in a sentence or two. */

import { t } from "./i18n.js";

/** @param {import("../engine/protocol.js").Fallback} fallback */
export function fallbackText({ from, to, error }) {
  const device = t(`fallback.device.${from?.kind ?? "engine"}`);
  return `${t(`fallback.${error.code}`, { device })} ${t(`fallback.to.${next(from, to)}`)}`;
}

/**
 * @param {import("../engine/protocol.js").Fallback["from"]} from
 * @param {import("../engine/protocol.js").Fallback["to"]} to
 */
function next(from, to) {
  if (!from || !to) return "again";
  if (from.kind !== to.kind) return "processor";
  if (from.workers > 1 && to.workers === 1) return "one-worker";
  return from.threads === to.threads ? "again" : "one-thread";
}
