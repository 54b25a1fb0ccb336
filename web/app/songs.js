/** The songs of the page, and each one's way from a file to its stems. */

import { neutralStrip } from "../media/mix.js";
import { SampleBuffer } from "../media/sample-buffer.js";
import { Track } from "../media/track.js";
import { estimate, learn } from "../ui/estimate.js";
import { JobProgress } from "../ui/job-progress.js";
import { describe } from "./errors.js";

/** @typedef {import("../engine/client.js").EngineClient} EngineClient */
/** @typedef {import("../engine/protocol.js").ErrorData} ErrorData */
/** @typedef {import("../engine/protocol.js").Events} Events */
/** @typedef {import("../engine/protocol.js").Model} Model */
/** @typedef {import("../engine/protocol.js").Pcm} Pcm */
/** @typedef {import("../media/mix.js").Strip} Strip */
/** @typedef {import("./state.js").PageState} PageState */
/** @typedef {import("../ui/store.js").Store<PageState>} PageStore */

/**
 * @typedef {object} Song
 * @property {string} id
 * @property {string} name of the file, without its ending
 * @property {Blob} file
 * @property {"reading" | "ready" | "waiting" | "working" | "done" | "failed"} status
 * @property {number} read fraction of the file that is decoded
 * @property {Pcm | null} pcm
 * @property {number} duration in seconds; 0 until it is known
 * @property {Track | null} track the song itself, with its peaks
 * @property {{ model: Model, preset: string } | null} plan how it is to be separated
 * @property {JobProgress | null} progress
 * @property {{ done: number, total: number } | null} download of the model, in bytes
 * @property {Track[]} stems
 * @property {Desk} desk
 * @property {ErrorData | null} error
 */

/**
 * @typedef {object} Desk
 * @property {Record<string, Strip>} strips by stem
 * @property {boolean} original whether the song itself is heard instead of the stems
 */

/** Pairs of peaks for a whole song: enough for a wide, dense screen. */
const PEAKS = 1 << 13;

const now = () => performance.now() / 1000;

/** Reads songs as they come and separates them one after another. Tells of every change through the store. */
export class Songs {
  #store;
  #engine;
  #reading = Promise.resolve();
  #working = false;
  #count = 0;

  /**
   * @param {PageStore} store
   * @param {EngineClient} engine
   */
  constructor(store, engine) {
    this.#store = store;
    this.#engine = engine;
    listen(engine, "model.progress", (event) => this.#modelProgress(event));
    listen(engine, "job.progress", (event) => this.#jobProgress(event));
    listen(engine, "job.chunk", (event) => this.#chunk(event));
  }

  /** @param {Iterable<File>} files */
  add(files) {
    const added = Array.from(files, (file) => this.#enter(file));
    if (added.length === 0) return;
    const { songs } = this.#store.state;
    this.#store.set({ songs: [...songs, ...added], selected: added[0].id });
    for (const song of added) this.#reading = this.#reading.then(() => this.#read(song));
  }

  /** @param {string} id */
  remove(id) {
    const song = this.#find(id);
    if (!song) return;
    this.cancel(id);
    const songs = this.#store.state.songs.filter((other) => other !== song);
    const selected = this.#store.state.selected === id ? (songs[0]?.id ?? null) : this.#store.state.selected;
    this.#store.set({ songs, selected });
  }

  /** Separate the selected song and all others that nothing has been done with yet. */
  separate() {
    const { songs, selected, model, preset } = this.#store.state;
    if (!model) return;
    for (const song of songs) {
      const asked = song.id === selected && song.pcm && song.status !== "working";
      if (asked || song.status === "ready" || song.status === "reading") this.#plan(song, model, preset);
    }
    void this.#work();
  }

  /** @param {string} id */
  retry(id) {
    const song = this.#find(id);
    if (!song?.plan) return;
    this.#plan(song, song.plan.model, song.plan.preset);
    void this.#work();
  }

  /** @param {string} id */
  cancel(id) {
    const song = this.#find(id);
    if (song?.status === "waiting") this.#change(song, { status: "ready", plan: null });
    if (song?.status === "working") void this.#engine.cancel();
  }

  /** @param {File} file @returns {Song} */
  #enter(file) {
    this.#count += 1;
    return {
      id: `song-${this.#count}`,
      name: file.name.replace(/\.[^.]+$/, ""),
      file,
      status: "reading",
      read: 0,
      pcm: null,
      duration: 0,
      track: null,
      plan: null,
      progress: null,
      download: null,
      stems: [],
      desk: { strips: {}, original: false },
      error: null,
    };
  }

  /** @param {Song} song */
  async #read(song) {
    if (!this.#find(song.id)) return;
    try {
      const pcm = await collect(song.file, (read) => this.#change(song, { read }));
      const duration = pcm.channels[0].length / pcm.rate;
      const track = Track.complete("original", pcm.channels, new Float32Array(), hopFor(pcm));
      this.#change(song, { pcm, duration, track, status: song.plan ? "waiting" : "ready" });
    } catch (error) {
      this.#fail(song, error);
      return;
    }
    void this.#draw(song);
    void this.#work();
  }

  /** @param {Song} song */
  async #draw(song) {
    const { pcm } = song;
    while (pcm && this.#find(song.id)) {
      try {
        const hop = hopFor(pcm);
        const peaks = await this.#engine.peaks(pcm, hop);
        this.#change(song, { track: Track.complete("original", pcm.channels, peaks, hop) });
        return;
      } catch (reason) {
        const error = describe(reason);
        // A cancel stops all that the engine is at, and this was not meant; other errors meet the song itself.
        if (error.code !== "cancelled") return;
      }
    }
  }

  /** @param {Song} song @param {Model} model @param {string} preset */
  #plan(song, model, preset) {
    const status = song.pcm ? "waiting" : "reading";
    this.#change(song, { plan: { model, preset }, status, error: null, stems: [] });
  }

  /** One song at a time, in their order. */
  async #work() {
    if (this.#working) return;
    this.#working = true;
    for (;;) {
      const song = this.#store.state.songs.find((candidate) => candidate.status === "waiting");
      if (!song) break;
      await this.#separate(song);
    }
    this.#working = false;
  }

  /** @param {Song} song */
  async #separate(song) {
    const { pcm, plan, duration } = song;
    if (!pcm || !plan) return;
    const hop = hopFor(pcm);
    const { model, preset } = plan;
    this.#change(song, { status: "working", progress: new JobProgress(now()), download: null });
    try {
      const info = await this.#engine.start();
      song.progress?.expect("separate", estimate(model, preset, duration, info));
      if (Object.keys(model.artifacts).length === 0) {
        song.progress?.skip("download");
        song.progress?.skip("create");
      }
      const stems = model.stems.map(
        (name) => new Track(name, pcm.channels.length, pcm.channels[0].length, hop),
      );
      const strips = Object.fromEntries(model.stems.map((name) => [name, neutralStrip()]));
      this.#change(song, { stems, desk: { strips, original: false } });
      const { seconds } = await this.#engine.run({ job: song.id, pcm, model, preset, hop });
      learn(model, preset, duration, info, seconds);
      this.#change(song, { status: "done", progress: null });
    } catch (error) {
      this.#fail(song, error);
    }
  }

  /** @param {Events["model.progress"]} event */
  #modelProgress({ stage, done, total }) {
    const song = this.#store.state.songs.find(({ status }) => status === "working");
    if (!song?.progress || !total) return;
    if (stage === "create") song.progress.mark("create", done / total, 1, now());
    else if (stage === "verify")
      song.progress.skip("download"); // it was here already, or is here now
    else song.progress.mark("download", done / total, done / total, now());
    if (stage === "download") song.download = { done, total };
    this.#store.touch();
  }

  /** @param {Events["job.progress"]} event */
  #jobProgress({ job, stage, done, total }) {
    const progress = this.#find(job)?.progress;
    if (!progress || !total) return;
    progress.mark(stage, done / total, Math.min(done + 1, total) / total, now());
    this.#store.touch();
  }

  /** @param {Events["job.chunk"]} event */
  #chunk({ job, start, stems }) {
    const song = this.#find(job);
    for (const chunk of stems) song?.stems.find((stem) => stem.name === chunk.name)?.append(start, chunk);
    this.#store.touch();
  }

  /** @param {Song} song @param {unknown} reason */
  #fail(song, reason) {
    const error = describe(reason);
    const cancelled = error.code === "cancelled";
    this.#change(song, {
      status: cancelled ? "ready" : "failed",
      error: cancelled ? null : error,
      progress: null,
      stems: [],
    });
  }

  /** @param {string} id */
  #find(id) {
    return this.#store.state.songs.find((song) => song.id === id);
  }

  /** @param {Song} song @param {Partial<Song>} changes */
  #change(song, changes) {
    Object.assign(song, changes);
    this.#store.touch();
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

/**
 * @param {Blob} file
 * @param {(fraction: number) => void} progress
 * @returns {Promise<Pcm>}
 */
async function collect(file, progress) {
  const { decode } = await import("../media/decode.js");
  const { decodeWhole } = await import("../media/decode-whole.js");
  let rate = 0;
  /** @type {SampleBuffer | null} */
  let buffer = null;
  for await (const block of decode(file, decodeWhole)) {
    rate = block.rate;
    buffer ??= new SampleBuffer(block.channels.length, (block.channels[0].length / block.fraction) | 0);
    buffer.append(block.channels[0].length, (plane, channel) => plane.set(block.channels[channel]));
    progress(block.fraction);
    await new Promise((resolve) => setTimeout(resolve));
  }
  return { rate, channels: buffer?.finish() ?? [] };
}

/** @param {Pcm} pcm */
function hopFor(pcm) {
  return 2 ** Math.max(6, Math.ceil(Math.log2(pcm.channels[0].length / PEAKS)));
}
