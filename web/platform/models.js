/** The models that this site offers. */

import { siteUrl } from "../base/site.js";

/** @typedef {import("../engine/protocol.js").Model} Model */

const MANIFEST = siteUrl("models/manifest.json");

/** @returns {Promise<Model[]>} the most thorough first */
export async function loadModels() {
  const response = await fetch(MANIFEST);
  if (!response.ok) throw new Error(`The list of models: HTTP status ${response.status}`);
  /** @type {{ models: Model[] }} */
  const { models } = await response.json();
  return models.sort((one, other) => other.gflop_per_second - one.gflop_per_second);
}

/** @param {import("../engine/protocol.js").Artifact} artifact */
export const modelUrl = ({ path }) => new URL(path, MANIFEST);
