/**
 * The models that may need more memory than this device has: by an estimate, and by the separations that have ended a
 * tab or the engine here. A page that is killed runs no more code, so it leaves a mark while it separates.
 */

import { describe } from "../base/errors.js";
import { recallRecord, remember } from "../platform/preferences.js";

/** @typedef {import("../engine/protocol.js").Model} Model */

/** @typedef {"memory" | "crashes"} Limit the device has too little memory, or has run out of it with the model before */

/** Marks of separations under way: model by the name of a lock that their page holds. */
const MARKS_KEY = "separating";

/** Number of crashes by model, since it was last finished. */
const CRASHES_KEY = "crashes";

const CRASHES_TO_BELIEVE = 2;

/** Memory of a device on which a model of the family runs, in GB; other families run on any. */
const NEEDED_GB = /** @type {Record<string, number>} */ ({ htdemucs: 4 });

/** Memory that a phone or tablet counts for whose browser does not reveal it: those end a page at little more than 1 GB. */
const UNKNOWN_PHONE_GB = 2;

/** @param {Model} model @returns {Limit | null} */
export function limitOf({ id, family }) {
  if ((recallRecord(CRASHES_KEY)[id] ?? 0) >= CRASHES_TO_BELIEVE) return "crashes";
  return memoryGb() < (NEEDED_GB[family] ?? 0) ? "memory" : null;
}

/**
 * Runs a separation, and remembers if it ends its page or the engine.
 * @template T
 * @param {string} model id
 * @param {() => Promise<T>} separate with an engine that has started: the model has no part in what ends a start
 * @returns {Promise<T>}
 */
export async function attempt(model, separate) {
  const name = `separating-${crypto.randomUUID()}`;
  return navigator.locks.request(name, async () => {
    const unmark = () => change(MARKS_KEY, ({ [name]: _, ...others }) => others);
    change(MARKS_KEY, (marks) => ({ ...marks, [name]: model }));
    addEventListener("pagehide", unmark); // a page that is left has not been killed
    try {
      const value = await separate();
      change(CRASHES_KEY, ({ [model]: _, ...others }) => others);
      return value;
    } catch (reason) {
      if (["engine/crashed", "runtime/out-of-memory"].includes(describe(reason).code)) countCrash(model);
      throw reason;
    } finally {
      removeEventListener("pagehide", unmark);
      unmark();
    }
  });
}

/** Counts the marks that killed pages have left: no page holds their locks. */
export async function countKilled() {
  const marks = recallRecord(MARKS_KEY);
  if (Object.keys(marks).length === 0) return;
  const { held = [] } = await navigator.locks.query();
  const living = new Set(held.map(({ name }) => name));
  for (const [name, model] of Object.entries(marks)) if (!living.has(name)) countCrash(model);
  change(MARKS_KEY, (left) => Object.fromEntries(Object.entries(left).filter(([name]) => living.has(name))));
}

/** @param {string} model id */
function countCrash(model) {
  change(CRASHES_KEY, (crashes) => ({ ...crashes, [model]: (crashes[model] ?? 0) + 1 }));
}

/** @param {string} key @param {(record: Record<string, any>) => Record<string, any>} update */
function change(key, update) {
  remember(key, JSON.stringify(update(recallRecord(key))));
}

function memoryGb() {
  const { deviceMemory } = /** @type {{ deviceMemory?: number }} */ (navigator);
  if (deviceMemory) return deviceMemory;
  const isPhone = matchMedia("(pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches;
  return isPhone ? UNKNOWN_PHONE_GB : Number.POSITIVE_INFINITY;
}
