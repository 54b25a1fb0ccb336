/** Playback: one AudioContext, one clock, any number of tracks. */

/** @typedef {import("../../library/track.js").Track} Track */

/** @typedef {import("./gains.js").Controls} Controls */

/**
 * @typedef {object} Block
 * @property {number} epoch grows with every jump; blocks of an old one are dropped
 * @property {number} start
 * @property {number} length
 * @property {boolean} last whether nothing follows
 * @property {Float32Array[][]} tracks samples by track and channel
 */

/** @typedef {{ start: number, stop: number }} Range in samples */

/** @typedef {{ stems: number[], master: number }} Levels highest samples of the last moment */

/**
 * @typedef {{ type: "block", block: Block }
 *   | { type: "controls", controls: Controls }
 *   | { type: "play" } | { type: "pause" }
 *   | { type: "seek", epoch: number, position: number }} ToMixer
 */

/**
 * @typedef {object} FromMixer
 * @property {number} epoch
 * @property {number} position
 * @property {number} played samples since the last jump
 * @property {boolean} playing
 * @property {boolean} sounding
 * @property {boolean} waiting
 * @property {Levels} levels
 */

const BLOCK_SECONDS = 0.25;

/** So much is sent ahead of the mixer's position. */
const AHEAD_SECONDS = 1.5;

/**
 * Plays tracks of one rate and length together. Fires `change` whenever position, levels, playing or waiting have changed.
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
    mixer.port.onmessage = ({ data }) => this.#hear(data);
    mixer.connect(context.destination);
  }

  /**
   * The context runs at the song's own rate, so that nothing is resampled before the device.
   * @param {Track[]} tracks the song itself first
   * @param {number} rate in Hz
   * @param {Controls} controls
   * @throws {DOMException} `NotSupportedError` where the browser cannot play this rate
   */
  static async open(tracks, rate, controls) {
    const context = new AudioContext({ sampleRate: rate, latencyHint: "playback" });
    await context.audioWorklet.addModule(new URL("../audio/mixer.js", import.meta.url));
    const mixer = new AudioWorkletNode(context, "mixer", {
      numberOfInputs: 0,
      outputChannelCount: [Math.max(2, tracks[0].channelCount)], // even one channel can be panned
      processorOptions: { controls },
    });
    return new Player(context, mixer, tracks);
  }

  /** In samples. */
  get position() {
    return this.#position;
  }

  get playing() {
    return this.#playing;
  }

  /** Whether time stands still because the next samples are not there yet. */
  get waiting() {
    return this.#waiting;
  }

  get levels() {
    return this.#levels;
  }

  async play() {
    const { start, stop } = this.#loop ?? this.#range;
    if (this.#position >= stop || this.#position < start) this.seek(start);
    this.#playing = true;
    this.#send({ type: "play" });
    this.#changed();
    await this.#context.resume();
    await this.#feed();
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
    // A mixer at rest takes in no messages: what is sent now would only pile up.
    if (this.#playing) void this.#feed();
  }

  /** @param {Controls} controls */
  control(controls) {
    this.#send({ type: "controls", controls });
  }

  /**
   * What is played again and again once it is reached.
   * @param {Range | null} loop
   */
  repeat(loop) {
    const { start, stop } = this.#range;
    const within = loop && { start: Math.max(start, loop.start), stop: Math.min(stop, loop.stop) };
    this.#loop = within && within.stop > within.start ? within : null;
    this.seek(this.#position); // what was sent ahead follows the loop before
  }

  async close() {
    this.#mixer.port.onmessage = null;
    await this.#context.close();
  }

  /** What there is to play, now or later. @returns {Range} */
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
  #hear({ epoch, position, played, playing, sounding, waiting, levels }) {
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

  /** Sends blocks until enough lies ahead of the mixer. */
  async #feed() {
    if (this.#feeding) return;
    this.#feeding = true;
    const { sampleRate } = this.#context;
    while (this.#sent - this.#played < AHEAD_SECONDS * sampleRate) {
      const epoch = this.#epoch;
      const start = this.#next;
      const stop = Math.min(
        start + Math.round(BLOCK_SECONDS * sampleRate),
        this.#available,
        this.#turn(start),
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
    this.#feeding = false;
  }

  /** Where what is played from a sample on ends, or turns back. @param {number} from */
  #turn(from) {
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
