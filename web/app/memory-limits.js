/** The models that may need more memory than this device has, by an estimate. */

/** @typedef {import("../engine/protocol.js").Model} Model */

/** @typedef {"memory"} Limit */

/** Memory of a device on which a model of the family runs, in GB; other families run on any. */
const NEEDED_GB = /** @type {Record<string, number>} */ ({ htdemucs: 4 });

/** Memory that a phone or tablet counts for whose browser does not reveal it: those end a page at little more than 1 GB. */
const UNKNOWN_PHONE_GB = 2;

/** @param {Model} model @returns {Limit | null} */
export function limitOf({ family }) {
  return memoryGb() < (NEEDED_GB[family] ?? 0) ? "memory" : null;
}

function memoryGb() {
  const { deviceMemory } = /** @type {{ deviceMemory?: number }} */ (navigator);
  if (deviceMemory) return deviceMemory;
  const isPhone = matchMedia("(pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches;
  return isPhone ? UNKNOWN_PHONE_GB : Number.POSITIVE_INFINITY;
}
