/**
 * Loads models: downloads and verifies their artifacts, and opens a session for each of their networks.
 */

import { DemixError } from "../../base/errors.js";
import { siteUrl } from "../../base/site.js";
import { until } from "../../base/waiting.js";
import { obtain } from "../../library/model-store.js";
import { precisionFor } from "../devices/precision.js";

/** @typedef {import("../protocol.js").Artifact} Artifact */
/** @typedef {import("../protocol.js").Model} Model */
/** @typedef {import("./startup.js").Session} Session */
/** @typedef {{ hashes: string, cached: boolean, sessions: Session[] }} Loaded */

const MODELS = siteUrl("models/");

export class ModelLoader {
  #startup;
  #emit;
  /** @type {Loaded | null} */ #loaded = null;

  /**
   * @param {import("./startup.js").Startup} startup
   * @param {import("../../base/messages.js").Emit<import("../protocol.js").Events>} emit
   */
  constructor(startup, emit) {
    this.#startup = startup;
    this.#emit = emit;
  }

  /**
   * Loads a model in place of the one before: the runtime's heap holds one at a time.
   * @param {Model} model
   * @param {string | undefined} precision by default that of the device
   * @param {AbortSignal} signal
   * @returns {Promise<{ bytes: number, cached: boolean, sessions: Session[] }>} `cached` when the browser keeps it
   *   for the next visit
   */
  async open(model, precision, signal) {
    const expected = artifactsOf(
      model,
      precision ?? precisionFor(model, await this.#startup.expectedAbility()),
    );
    const bytes = sizeOf(expected);
    if (this.#loaded?.hashes === hashesOf(expected)) return { bytes, ...this.#loaded };
    let files = await this.#obtain(model, expected, signal); // while the runtime starts
    const { runtime, ability } = await until(signal, this.#startup.compute());
    const artifacts = artifactsOf(model, precision ?? precisionFor(model, ability));
    if (artifacts !== expected) files = await this.#obtain(model, artifacts, signal);
    const cached = files.every((file) => file.cached);
    await this.#release();
    const sessions = await this.#createSessions(model, runtime, files);
    this.#loaded = { hashes: hashesOf(artifacts), cached, sessions };
    return { bytes: sizeOf(artifacts), cached, sessions };
  }

  /**
   * @param {Model} model
   * @param {import("./startup.js").Runtime} runtime
   * @param {{ weights: Uint8Array<ArrayBuffer> }[]} files
   */
  async #createSessions({ id: model }, runtime, files) {
    const total = files.length;
    const stage = /** @type {const} */ ("create");
    /** @type {Session[]} */
    const sessions = [];
    try {
      this.#emit("model.progress", { model, stage, done: 0, total });
      for (const { weights } of files) {
        sessions.push(await runtime.open(weights));
        this.#emit("model.progress", { model, stage, done: sessions.length, total });
      }
      return sessions;
    } catch (error) {
      await releaseAll(sessions);
      throw error;
    }
  }

  async #release() {
    const sessions = this.#loaded?.sessions ?? [];
    this.#loaded = null;
    await releaseAll(sessions);
  }

  /**
   * @param {Model} model
   * @param {Artifact[]} artifacts
   * @param {AbortSignal} signal
   */
  async #obtain({ id: model }, artifacts, signal) {
    const total = sizeOf(artifacts);
    const files = [];
    let before = 0;
    for (const artifact of artifacts) {
      /** @type {import("../../library/model-store.js").Report} */
      const report = (stage, done, all) =>
        this.#emit(
          "model.progress",
          stage === "download"
            ? { model, stage, done: before + done, total }
            : { model, stage, done, total: all },
        );
      /** @param {DemixError} problem */
      const warn = (problem) => this.#emit("model.unkept", problem.toData());
      files.push(await obtain(new URL(artifact.path, MODELS), artifact, signal, report, warn));
      before += artifact.bytes;
    }
    return files;
  }
}

/** @param {Model} model @param {string} precision */
function artifactsOf({ id, artifacts }, precision) {
  const found = artifacts[precision] ?? [];
  if (found.length > 0) return found;
  throw new DemixError("model/incompatible", `Model ${id} has no weights for ${precision}.`);
}

/** @param {Artifact[]} artifacts */
const sizeOf = (artifacts) => artifacts.reduce((sum, { bytes }) => sum + bytes, 0);

/** @param {Artifact[]} artifacts */
const hashesOf = (artifacts) => artifacts.map(({ sha256 }) => sha256).join();

/** @param {Session[]} sessions */
const releaseAll = (sessions) => Promise.allSettled(sessions.map((session) => session.release()));
