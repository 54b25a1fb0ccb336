/** Separates songs one after another, and goes on where an earlier run was cut off. */

import { cancelled, describe } from "../base/errors.js";
import { until } from "../base/waiting.js";
import { jobName, songFolder } from "../library/layout.js";
import { hopFor } from "../library/measurement.js";
import { removeOtherJobs } from "../library/songs.js";
import { deskFor } from "./desk-state.js";
import { estimate, learn } from "./estimate.js";
import { JobProgress } from "./job-progress.js";
import { audioOf, emptyStems, finishedPart, partOf, rangeOf } from "./song.js";

/** @typedef {import("../engine/page/client.js").EngineClient} EngineClient */
/** @typedef {import("../base/errors.js").ErrorData} ErrorData */
/** @typedef {import("../engine/protocol.js").Events} Events */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {(song: Song, changes: Partial<Song>) => void} Change */

const now = () => performance.now() / 1000;

export class SeparationQueue {
  #engine;
  #songs;
  #change;
  #busy = false;
  #abort = new AbortController();
  /** Of the job at work. */
  #segments = 1;
  #fallen = false;

  /**
   * @param {EngineClient} engine
   * @param {() => Song[]} songs all of them, in their order
   * @param {Change} change
   */
  constructor(engine, songs, change) {
    this.#engine = engine;
    this.#songs = songs;
    this.#change = change;
    listen(engine, "model.progress", (event) => this.#modelProgress(event));
    listen(engine, "job.progress", (event) => this.#jobProgress(event));
    listen(engine, "engine.fallback", () => {
      this.#fallen = true;
    });
    listen(engine, "job.chunk", (event) => this.#chunk(event));
  }

  /** Works until no song waits. */
  async work() {
    if (this.#busy) return;
    this.#busy = true;
    for (;;) {
      const song = this.#songs().find(({ status }) => status === "waiting");
      if (!song) break;
      await this.#separate(song);
    }
    this.#busy = false;
  }

  /** Cancels the job at work. */
  cancel() {
    this.#abort.abort(cancelled());
  }

  /** @param {Song} song */
  async #separate(song) {
    const audio = audioOf(song);
    const { plan, format, normalisation } = song;
    if (!audio || !plan || !format) return;
    const { model, preset, region } = plan;
    const range = region ? rangeOf(format, region) : { start: 0, stop: format.length };
    const duration = (range.stop - range.start) / format.rate;
    this.#change(song, {
      status: "working",
      progress: new JobProgress(now()),
      download: null,
      preview: region && { start: range.start / format.rate, stop: range.stop / format.rate },
      stems: emptyStems(song, model, range),
      desk: deskFor(model.stems, song.desk),
    });
    this.#fallen = false;
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      const info = await until(signal, this.#engine.start());
      song.progress?.expect("separate", estimate(model, preset, duration, info));
      if (Object.keys(model.artifacts).length === 0) {
        song.progress?.skip("download");
        song.progress?.skip("create");
      }
      if (normalisation) song.progress?.skip("measure");
      // A preview is not kept: its stems lie in memory.
      const folder = song.folder && !region ? `${songFolder(song.id)}/${jobName(model.id, preset)}` : null;
      const part = region ? partOf(audio, range) : audio;
      const request = {
        job: song.id,
        song: part,
        folder,
        model,
        preset,
        normalisation,
        hop: hopFor(audio.length),
      };
      const { seconds, segments } = await this.#engine.run(request, signal);
      // A job that had only its end to write teaches nothing, nor does one of two devices.
      if (segments > 0 && !this.#fallen)
        learn(model, preset, (duration * segments) / this.#segments, info, seconds);
      if (region) return this.#change(song, { status: "ready", progress: null, plan: null });
      this.#change(song, { status: "done", progress: null, plan: null, unfinished: null });
    } catch (reason) {
      this.#stopped(song, describe(reason));
      return;
    }
    // If that fails they take room until the next time; the stems are finished all the same.
    if (song.folder) await removeOtherJobs(song.id, { model: model.id, preset }).catch(() => {});
  }

  /** @param {Events["model.progress"]} event */
  #modelProgress({ stage, done, total }) {
    const song = this.#songs().find(({ status }) => status === "working");
    if (!song?.progress || !total) return;
    if (stage === "create") song.progress.mark("create", done / total, 1, now());
    else if (stage === "verify")
      song.progress.skip("download"); // it was here already, or is here now
    else song.progress.mark("download", done / total, done / total, now());
    this.#change(song, stage === "download" ? { download: { done, total } } : {});
  }

  /** @param {Events["job.progress"]} event */
  #jobProgress({ job, stage, done, total }) {
    const song = this.#find(job);
    if (!song?.progress || !total) return;
    if (stage === "separate") this.#segments = total;
    song.progress.mark(stage, done / total, Math.min(done + 1, total) / total, now());
    this.#change(song, {});
  }

  /** @param {Events["job.chunk"]} event */
  #chunk({ job, stems }) {
    const song = this.#find(job);
    if (!song) return;
    for (const { name, pieces, peaks } of stems) {
      const stem = song.stems.find((each) => each.name === name);
      const { begin = 0 } = stem ?? {};
      stem?.append(
        pieces.map((piece) => ({ ...piece, start: begin + piece.start })),
        peaks,
      );
    }
    this.#change(song, {});
  }

  /** What is finished stays: it can be heard, and separating goes on from there. @param {Song} song @param {ErrorData} error */
  #stopped(song, error) {
    const cancelled = error.code === "cancelled";
    const fraction = finishedPart(song);
    const { plan, folder, unfinished } = song;
    const further = folder && plan && !plan.region && fraction > 0;
    this.#change(song, {
      status: cancelled ? "ready" : "failed",
      error: cancelled ? null : error,
      progress: null,
      // Stopped before it has got to where it was: that is still there.
      unfinished: further ? { model: plan.model.id, preset: plan.preset, fraction } : unfinished,
      // Of a preview nothing stays: it was asked for as a whole.
      stems: fraction > 0 && !plan?.region ? song.stems : [],
      preview: null,
    });
  }

  /** @param {string} id */
  #find(id) {
    return this.#songs().find((song) => song.id === id);
  }
}

/**
 * @template {keyof Events} T
 * @param {EngineClient} engine
 * @param {T} type
 * @param {(data: Events[T]) => void} listener
 */
function listen(engine, type, listener) {
  engine.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
}
