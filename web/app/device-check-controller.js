/** *Check this device*: separates a song with known stems, and measures the difference. */

import { describe } from "../base/errors.js";
import { precisionFor } from "../engine/devices/precision.js";
import { Exporter } from "../export/page/client.js";
import { hopFor } from "../library/measurement.js";
import { Track } from "../library/track.js";
import { loadCheckSong, loadReferences } from "../platform/check-song.js";

/** @typedef {import("../engine/protocol.js").Events} Events */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("../library/pieces.js").StoredAudio} StoredAudio */
/** @typedef {import("./state.js").PageState} PageState */

/**
 * @typedef {object} CheckState
 * @property {Model} model
 * @property {"working" | "done" | "failed"} phase
 * @property {{ name: string, difference: number }[]} stems `difference` is the error's energy relative to the stem, in dB
 * @property {import("../base/errors.js").ErrorData | null} error
 */

const JOB = "device-check";

/** Largest difference in dB that passes. Float16 on a GPU keeps it; other devices reach -50 and less. */
export const LIMIT = -40;

export class DeviceCheckController {
  #store;
  #engine;
  #exporter = new Exporter();

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {import("../engine/page/client.js").EngineClient} engine
   */
  constructor(store, engine) {
    this.#store = store;
    this.#engine = engine;
  }

  async run() {
    const { model, check } = this.#store.state;
    if (!model || check?.phase === "working") return;
    this.#store.set({ check: { model, phase: "working", stems: [], error: null } });
    try {
      const stems = await this.#measure(model);
      this.#store.set({ check: { model, phase: "done", stems, error: null } });
    } catch (reason) {
      this.#store.set({ check: { model, phase: "failed", stems: [], error: describe(reason) } });
    } finally {
      this.#exporter.end();
    }
  }

  /** @param {Model} model @returns {Promise<CheckState["stems"]>} */
  async #measure(model) {
    const { index, song } = await loadCheckSong();
    const { tracks, precision } = await this.#separate(model, index.preset, song);
    const references = await loadReferences(index, model, precision);
    const stems = [];
    for (const { name, audio } of references) {
      const pieces = tracks.get(name)?.pieces ?? [];
      // The reference minus our stem: the exporter's null test.
      const measurement = await this.#exporter.measure(audio, [{ ...audio, pieces }], [[1, 1]], () => {});
      stems.push({ name, difference: measurement.residual });
    }
    return stems;
  }

  /** @param {Model} model @param {string} preset @param {StoredAudio} song */
  async #separate(model, preset, song) {
    const info = await this.#engine.start();
    const precision = precisionFor(model, info);
    const hop = hopFor(song.length);
    const tracks = new Map(
      model.stems.map((name) => [name, new Track(name, song.channels, song.length, hop)]),
    );
    const collect = (/** @type {Event} */ event) => {
      /** @type {Events["job.chunk"]} */
      const { job, stems } = /** @type {CustomEvent} */ (event).detail;
      if (job === JOB) for (const { name, pieces, peaks } of stems) tracks.get(name)?.append(pieces, peaks);
    };
    this.#engine.addEventListener("job.chunk", collect);
    try {
      await this.#engine.run({ job: JOB, song, folder: null, model, preset, precision, hop });
    } finally {
      this.#engine.removeEventListener("job.chunk", collect);
    }
    return { tracks, precision };
  }
}
