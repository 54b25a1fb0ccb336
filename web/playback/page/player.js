/** Playback: one AudioContext, one clock, any number of tracks. */

import { pause } from "../../base/waiting.js";

/** @typedef {import("../../library/track.js").Track} Track */
/** @typedef {import("../protocol.js").Controls} Controls */
/** @typedef {import("../protocol.js").FromMixer} FromMixer */
/** @typedef {import("../protocol.js").Levels} Levels */
/** @typedef {import("../protocol.js").ToMixer} ToMixer */
/** @typedef {{ start: number, stop: number }} Range in samples */

const BLOCK_SECONDS = 0.25;

/** Length of the audio that is sent ahead of the mixer's position. */
const AHEAD_SECONDS = 1.5;

/** Time for a device to wake up. Without any, some browsers leave `resume` pending for ever. */
const RESUME_MS = 5_000;

/**
 * Plays tracks of one rate and length together. Fires `change` when position, levels, playing or waiting have changed.
 */
export class Player extends EventTarget {
  #context;
  #mixer;
  #tracks;
  #epoch = 0;
  #position = 0;
  #next = 0;
  #sent = 0;
  #played = 0;
  #playing = false;
  #waiting = false;
  #feeding = false;
  #unreadable = false;
  /** @type {Range | null} */
  #loop = null;
  /** @type {Levels} */
  #levels = { stems: [], master: 0 };

  /**
   * @param {AudioContext} context
   * @param {AudioWorkletNode} mixer
   * @param {Track[]} tracks
   */
  constructor(context, mixer, tracks) {
    super();
    this.#context = context;
    this.#mixer = mixer;
    this.#tracks = tracks;
    mixer.port.onmessage = ({ data }) => this.#update(data);
    mixer.connect(context.destination);
  }

  /**
   * Opens a context at the song's own rate, so nothing is resampled before the device.
   * @param {Track[]} tracks the song itself first
   * @param {number} rate in Hz
   * @param {Controls} controls
   * @throws {DOMException} `NotSupportedError` when the browser cannot play this rate
   */
  static async open(tracks, rate, controls) {
    const context = new AudioContext({ sampleRate: rate, latencyHint: "playback" });
    try {
      await context.audioWorklet.addModule(new URL("../audio/mixer.js", import.meta.url));
      const mixer = new AudioWorkletNode(context, "mixer", {
        numberOfInputs: 0,
        outputChannelCount: [Math.max(2, tracks[0].channelCount)], // even one channel can be panned
        processorOptions: { controls },
      });
      return new Player(context, mixer, tracks);
    } catch (error) {
      void context.close();
      throw error;
    }
  }

  /** In samples. */
  get position() {
    return this.#position;
  }

  get playing() {
    return this.#playing;
  }

  /** True while playback waits for samples that do not exist yet. */
  get waiting() {
    return this.#waiting;
  }

  /** True when playback has paused because a track could not be read. */
  get unreadable() {
    return this.#unreadable;
  }

  get levels() {
    return this.#levels;
  }

  /** @returns {Promise<boolean>} false when no audio device has started; playback is paused then */
  async play() {
    const { start, stop } = this.#loop ?? this.#range;
    if (this.#position >= stop || this.#position < start) this.seek(start);
    this.#playing = true;
    this.#unreadable = false;
    this.#send({ type: "play" });
    this.#changed();
    const hasStarted = this.#context.resume().then(() => true);
    if (!(await Promise.race([hasStarted, pause(RESUME_MS).then(() => this.#context.state === "running")]))) {
      this.pause();
      return false;
    }
    await this.#feed();
    return true;
  }

  pause() {
    this.#playing = false;
    this.#send({ type: "pause" });
    this.#changed();
  }

  /** @param {number} position in samples */
  seek(position) {
    const { start, stop } = this.#range;
    this.#epoch += 1;
    this.#position = Math.round(Math.max(start, Math.min(position, stop)));
    this.#next = this.#position;
    this.#sent = 0;
    this.#played = 0;
    this.#send({ type: "seek", epoch: this.#epoch, position: this.#position });
    this.#changed();
    // A suspended mixer takes no messages: blocks would only pile up.
    if (this.#playing) void this.#feed();
  }

  /** @param {Controls} controls */
  control(controls) {
    this.#send({ type: "controls", controls });
  }

  /**
   * Repeats a range once it is reached.
   * @param {Range | null} loop
   */
  repeat(loop) {
    const { start, stop } = this.#range;
    const within = loop && { start: Math.max(start, loop.start), stop: Math.min(stop, loop.stop) };
    this.#loop = within && within.stop > within.start ? within : null;
    this.seek(this.#position); // the blocks sent ahead follow the previous loop
  }

  async close() {
    this.#mixer.port.onmessage = null;
    await this.#context.close();
  }

  /** The part of the song that all tracks will cover. @returns {Range} */
  get #range() {
    return {
      start: Math.max(...this.#tracks.map(({ begin }) => begin)),
      stop: Math.min(...this.#tracks.map(({ end }) => end)),
    };
  }

  get #available() {
    return Math.min(...this.#tracks.map((track) => track.available));
  }

  /** @param {FromMixer} report */
  #update({ epoch, position, played, playing, sounding, waiting, levels }) {
    if (epoch !== this.#epoch) return;
    const ended = this.#playing && !playing && position >= this.#range.stop;
    if (ended) this.#playing = false;
    if (!sounding && !this.#playing) void this.#context.suspend();
    this.#played = played;
    this.#position = position;
    this.#waiting = waiting;
    this.#levels = levels;
    this.#changed();
    if (this.#playing) void this.#feed();
  }

  /** Sends blocks until the mixer is well ahead. When a track cannot be read, playback pauses; `play` tries again. */
  async #feed() {
    if (this.#feeding) return;
    this.#feeding = true;
    try {
      await this.#sendBlocks();
    } catch {
      this.#unreadable = true;
      this.pause();
    } finally {
      this.#feeding = false;
    }
  }

  async #sendBlocks() {
    const { sampleRate } = this.#context;
    while (this.#sent - this.#played < AHEAD_SECONDS * sampleRate) {
      const epoch = this.#epoch;
      const start = this.#next;
      const stop = Math.min(
        start + Math.round(BLOCK_SECONDS * sampleRate),
        this.#available,
        this.#turnAfter(start),
      );
      if (stop <= start) break;
      const samples = await Promise.all(this.#tracks.map((track) => track.read(start, stop)));
      if (epoch !== this.#epoch) continue;
      this.#next = stop === this.#loop?.stop ? this.#loop.start : stop;
      this.#sent += stop - start;
      const last = this.#next >= this.#range.stop;
      this.#send(
        { type: "block", block: { epoch, start, length: stop - start, last, tracks: samples } },
        samples.flat().map((channel) => channel.buffer),
      );
    }
  }

  /** The sample at which playback from another one ends, or returns to the start of the loop. @param {number} from */
  #turnAfter(from) {
    return this.#loop && from < this.#loop.stop ? this.#loop.stop : this.#range.stop;
  }

  /**
   * @param {ToMixer} message
   * @param {ArrayBuffer[]} [transfer]
   */
  #send(message, transfer = []) {
    this.#mixer.port.postMessage(message, transfer);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
