/** Separates songs one after another, and resumes unfinished separations. */

import { cancelled, describe } from "../base/errors.js";
import { until } from "../base/waiting.js";
import { jobName } from "../library/layout.js";
import { hopFor } from "../library/measurement.js";
import { removeOtherJobs } from "../library/songs.js";
import { estimate, learn } from "./estimates.js";
import { attempt } from "./memory-limits.js";
import { JobProgress } from "./progress.js";
import { audioOf, partOf, rangeOf } from "./song-audio.js";

/** @typedef {import("../engine/page/client.js").EngineClient} EngineClient */
/** @typedef {import("../engine/protocol.js").EngineInfo} EngineInfo */
/** @typedef {import("../engine/protocol.js").Events} Events */
/** @typedef {import("../engine/protocol.js").JobRequest} JobRequest */
/** @typedef {import("./song.js").Plan} Plan */
/** @typedef {import("./song.js").Song} Song */
/** @typedef {import("./songs.js").Songs} Songs */
/** @typedef {import("./state.js").PageState} PageState */

/**
 * @typedef {object} Job
 * @property {string} song id
 * @property {AbortController} controller
 * @property {JobProgress} progress
 * @property {number} segments of the whole song
 * @property {boolean} fellBack true when a device has failed during the job
 */

const now = () => performance.now() / 1000;

export class SeparationQueue {
  #store;
  #songs;
  #engine;
  /** @type {Job | null} */ #job = null;
  #isWorking = false;

  /**
   * @param {import("./store.js").Store<PageState>} store
   * @param {Songs} songs
   * @param {EngineClient} engine
   */
  constructor(store, songs, engine) {
    this.#store = store;
    this.#songs = songs;
    this.#engine = engine;
    this.#listen("model.progress", (event, job) => this.#modelProgress(event, job));
    this.#listen("job.progress", (event, job) => this.#jobProgress(event, job));
    this.#listen("job.chunk", (event, job) => {
      if (event.job === job.song) songs.send(job.song, "extended", event.stems);
    });
    this.#listen("engine.fallback", (_, job) => {
      job.fellBack = true;
    });
  }

  /** Separates until no song waits. */
  async work() {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      for (;;) {
        const song = this.#songs.all.find(({ status }) => status === "waiting");
        if (!song) return;
        await this.#separate(song);
      }
    } finally {
      this.#isWorking = false;
    }
  }

  /** Stops the separation of a song, if it is the one that runs. @param {string} id */
  cancel(id) {
    if (this.#job?.song === id) this.#job.controller.abort(cancelled());
  }

  /** Must change the song's status: the loop above would take it again. @param {Song} song */
  async #separate(song) {
    const { id } = song;
    const controller = new AbortController();
    const progress = new JobProgress(now(), this.#absentPhases(song));
    const job = { song: id, controller, progress, segments: 1, fellBack: false };
    this.#job = job;
    try {
      this.#songs.send(id, "started", progress);
      await this.#run(job);
      this.#songs.send(id, "finished", undefined);
    } catch (reason) {
      const error = describe(reason);
      if (error.code === "cancelled") this.#songs.send(id, "stopped", undefined);
      else this.#songs.send(id, "failed", error);
    } finally {
      this.#job = null;
    }
  }

  /** Phases that will probably not take place. @param {Song} song */
  #absentPhases({ plan, normalisation }) {
    const { engine, storage } = this.#store.state;
    /** @type {import("./progress.js").Phase[]} */
    const absent = [];
    if (engine.phase === "ready") absent.push("start");
    if (plan && storage.models.includes(plan.model.id)) absent.push("download");
    if (plan && Object.keys(plan.model.artifacts).length === 0) absent.push("download", "create");
    if (normalisation) absent.push("measure");
    return absent;
  }

  /** @param {Job} job */
  async #run(job) {
    const { signal } = job.controller;
    const song = /** @type {Song} */ (this.#songs.find(job.song));
    const { plan, format } = song;
    if (!plan || !format) throw new Error("A song was started without a plan.");
    const { model, preset, region } = plan;
    const { start, stop } = rangeOf(format, region);
    const duration = (stop - start) / format.rate;
    const info = await until(signal, this.#engine.start());
    job.progress.expect("separate", estimate(model, preset, duration, info));
    const { seconds, segments } = await attempt(model.id, () => this.#engine.run(requestOf(song), signal));
    signal.throwIfAborted(); // its last chunks were ignored
    // The time of a job without segments, or of one on two devices, is not the rate of this device.
    if (segments > 0 && !job.fellBack)
      learn(model, preset, (duration * segments) / job.segments, info, seconds);
    // The stems are finished; what cannot be removed now goes next time.
    if (song.folder && !region) await removeOtherJobs(song.id, { model: model.id, preset }).catch(() => {});
  }

  /** @param {Events["model.progress"]} event @param {Job} job */
  #modelProgress({ model, stage, done, total }, { song, progress }) {
    if (!total || this.#songs.find(song)?.plan?.model.id !== model) return; // a device check may load another one
    if (stage === "create") progress.mark("create", done / total, 1, now());
    else if (stage === "verify")
      progress.skip("download"); // it is kept already, or was just downloaded
    else progress.mark("download", done / total, done / total, now());
    this.#songs.send(song, "progressed", stage === "download" ? { download: { done, total } } : {});
  }

  /** @param {Events["job.progress"]} event @param {Job} job */
  #jobProgress({ job: id, stage, done, total }, job) {
    if (id !== job.song || !total) return;
    if (stage === "separate") job.segments = total;
    job.progress.mark(stage, done / total, Math.min(done + 1, total) / total, now());
    this.#songs.send(job.song, "progressed", {});
  }

  /**
   * @template {keyof Events} T
   * @param {T} type
   * @param {(data: Events[T], job: Job) => void} listener called while a job runs and is not cancelled
   */
  #listen(type, listener) {
    this.#engine.addEventListener(type, (event) => {
      const job = this.#job;
      if (job && !job.controller.signal.aborted) listener(/** @type {CustomEvent} */ (event).detail, job);
    });
  }
}

/** @param {Song} song that was started @returns {JobRequest} */
function requestOf(song) {
  const { id, plan, format, normalisation } = song;
  const audio = audioOf(song);
  if (!plan || !format || !audio) throw new Error("A song was started without a plan.");
  const { model, preset, region } = plan;
  // The stems of a preview lie in memory.
  const folder = song.folder && !region ? `${song.folder}/${jobName(model.id, preset)}` : null;
  const part = region ? partOf(audio, rangeOf(format, region)) : audio;
  return { job: id, song: part, folder, model, preset, normalisation, hop: hopFor(audio.length) };
}
