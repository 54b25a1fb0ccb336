/** Playback: one AudioContext, one clock, any number of tracks. */

/** @typedef {import("./track.js").Track} Track */

/**
 * @typedef {object} Block
 * @property {number} epoch grows with every jump; blocks of an old one are dropped
 * @property {number} start
 * @property {number} length
 * @property {Float32Array[][]} tracks samples by track and channel
 */

/**
 * @typedef {{ type: "block", block: Block }
 *   | { type: "gains", gains: number[] }
 *   | { type: "play" } | { type: "pause" }
 *   | { type: "seek", epoch: number, position: number }} ToMixer
 */

/** @typedef {{ epoch: number, position: number, sounding: boolean, waiting: boolean }} FromMixer */

const BLOCK_SECONDS = 0.25;

/** So much is sent ahead of the mixer's position. */
const AHEAD_SECONDS = 1.5;

/**
 * Plays tracks of one rate and length together. Fires `change` whenever position, playing or waiting has changed.
 */
export class Player extends EventTarget {
  #context;
  #mixer;
  #tracks;
  #epoch = 0;
  #position = 0;
  #next = 0;
  #playing = false;
  #waiting = false;
  #feeding = false;

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
   * @param {Track[]} tracks
   * @param {number} rate in Hz
   * @param {number[]} gains one for each track
   * @throws {DOMException} `NotSupportedError` where the browser cannot play this rate
   */
  static async open(tracks, rate, gains) {
    const context = new AudioContext({ sampleRate: rate, latencyHint: "playback" });
    await context.audioWorklet.addModule(new URL("./mixer-worklet.js", import.meta.url));
    const mixer = new AudioWorkletNode(context, "mixer", {
      numberOfInputs: 0,
      outputChannelCount: [tracks[0].channelCount],
      processorOptions: { length: tracks[0].length, gains },
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

  async play() {
    if (this.#position >= this.#length) this.seek(0);
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
    this.#epoch += 1;
    this.#position = Math.round(Math.max(0, Math.min(position, this.#length)));
    this.#next = this.#position;
    this.#send({ type: "seek", epoch: this.#epoch, position: this.#position });
    this.#changed();
    // A mixer at rest takes in no messages: what is sent now would only pile up.
    if (this.#playing) void this.#feed();
  }

  /** @param {number[]} gains one for each track */
  setGains(gains) {
    this.#send({ type: "gains", gains });
  }

  async close() {
    this.#mixer.port.onmessage = null;
    await this.#context.close();
  }

  get #length() {
    return this.#tracks[0].length;
  }

  get #available() {
    return Math.min(...this.#tracks.map((track) => track.available));
  }

  /** @param {FromMixer} report */
  #hear({ epoch, position, sounding, waiting }) {
    if (epoch !== this.#epoch) return;
    const ended = position >= this.#length;
    if (ended) this.#playing = false;
    if (!sounding && !this.#playing) void this.#context.suspend();
    if (position !== this.#position || waiting !== this.#waiting || ended) {
      this.#position = position;
      this.#waiting = waiting;
      this.#changed();
    }
    if (this.#playing) void this.#feed();
  }

  /** Sends blocks until enough lies ahead of the mixer. */
  async #feed() {
    if (this.#feeding) return;
    this.#feeding = true;
    const { sampleRate } = this.#context;
    while (this.#next < this.#position + AHEAD_SECONDS * sampleRate) {
      const epoch = this.#epoch;
      const start = this.#next;
      const stop = Math.min(start + Math.round(BLOCK_SECONDS * sampleRate), this.#available);
      if (stop <= start) break;
      const samples = await Promise.all(this.#tracks.map((track) => track.read(start, stop)));
      if (epoch !== this.#epoch) continue;
      this.#next = stop;
      this.#send(
        { type: "block", block: { epoch, start, length: stop - start, tracks: samples } },
        samples.flat().map((channel) => channel.buffer),
      );
    }
    this.#feeding = false;
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
