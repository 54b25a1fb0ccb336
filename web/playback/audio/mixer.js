/**
 * The mixer on the audio thread. All tracks arrive together in blocks that are played in the order in which they came,
 * so they cannot drift apart. Where a block is missing, time stands still until it comes.
 */

import { LoudnessMatch } from "./loudness-match.js";

/** @typedef {import("../page/gains.js").Controls} Controls */
/** @typedef {import("../page/gains.js").Sides} Sides */
/** @typedef {import("../page/player.js").Block} Block */
/** @typedef {import("../page/player.js").ToMixer} ToMixer */
/** @typedef {import("../page/player.js").FromMixer} FromMixer */

/** Gains move towards their target with this time constant, so that no step is heard. */
const SMOOTHING_SECONDS = 0.008;

/** Below this the fade before a pause or a jump counts as done. */
const FADED = 1e-3;

/** The page hears of the position and the levels this often. */
const REPORT_SECONDS = 0.04;

class Mixer extends AudioWorkletProcessor {
  /** @type {Block[]} the song itself is the first track of each */
  #blocks = [];
  /** Samples of the first block that were played. */
  #offset = 0;
  #position = 0;
  #played = 0;
  #epoch = 0;
  #playing = false;
  #waiting = false;
  /** @type {{ epoch: number, position: number } | null} */
  #jump = null;
  /** @type {Controls} */
  #controls;
  /** @type {Sides[]} */
  #gains;
  #master;
  /** How much of what is heard is the song itself. */
  #original;
  #match = new LoudnessMatch(sampleRate);
  #fade = 0;
  #step = 1 - Math.exp(-1 / (SMOOTHING_SECONDS * sampleRate));
  #untilReport = 0;
  /** Highest samples since the last report. @type {number[]} */
  #peaks;
  #loudest = 0;

  /** @param {{ processorOptions: { controls: Controls } }} options */
  constructor({ processorOptions: { controls } }) {
    super();
    this.#controls = controls;
    this.#gains = controls.stems.map(([left, right]) => [left, right]);
    this.#peaks = controls.stems.map(() => 0);
    this.#master = controls.master;
    this.#original = controls.original ? 1 : 0;
    this.port.onmessage = ({ data }) => this.#receive(data);
  }

  /** @param {ToMixer} message */
  #receive(message) {
    switch (message.type) {
      case "block":
        this.#blocks.push(message.block);
        break;
      case "controls":
        this.#controls = message.controls;
        break;
      case "play":
        this.#playing = true;
        break;
      case "pause":
        this.#playing = false;
        break;
      case "seek":
        this.#jump = message;
        break;
    }
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, [output]) {
    const frames = output[0].length;
    this.#waiting = false;
    for (let frame = 0; frame < frames; frame += 1) {
      this.#settle();
      if (!this.#playing && this.#fade < FADED) continue;
      const block = this.#current();
      if (!block) {
        this.#waiting = this.#playing;
        this.#fade = 0;
        continue;
      }
      this.#smooth();
      this.#mix(block, output, frame);
      this.#offset += 1;
      this.#played += 1;
      this.#position = block.start + this.#offset;
    }
    this.#report(frames);
    return true;
  }

  /** Carries out a jump once the old place has faded out, and lets go of a block that is played. */
  #settle() {
    if (this.#jump && this.#fade < FADED) {
      const { epoch, position } = this.#jump;
      this.#epoch = epoch;
      this.#position = position;
      this.#blocks = this.#blocks.filter((block) => block.epoch === epoch);
      this.#jump = null;
      this.#offset = 0;
      this.#played = 0;
      this.#fade = 0;
      this.#untilReport = 0;
    }
    const [first] = this.#blocks;
    if (!first || this.#offset < first.length) return;
    this.#blocks.shift();
    this.#offset = 0;
    if (first.last) this.#playing = false;
  }

  /** The block at the present position, if it is here. */
  #current() {
    const [first] = this.#blocks;
    return first?.epoch === this.#epoch ? first : null;
  }

  /** Lets every gain follow its control. */
  #smooth() {
    const { stems, master, original } = this.#controls;
    const audible = this.#playing && !this.#jump ? 1 : 0;
    this.#fade += this.#step * (audible - this.#fade);
    this.#master += this.#step * (master - this.#master);
    this.#original += this.#step * ((original ? 1 : 0) - this.#original);
    for (let stem = 0; stem < stems.length; stem += 1) {
      const gains = this.#gains[stem];
      gains[0] += this.#step * (stems[stem][0] - gains[0]);
      gains[1] += this.#step * (stems[stem][1] - gains[1]);
    }
  }

  /**
   * @param {Block} block
   * @param {Float32Array[]} output
   * @param {number} frame
   */
  #mix({ tracks }, output, frame) {
    const at = this.#offset;
    const level = this.#fade * this.#master;
    for (let channel = 0; channel < output.length; channel += 1) {
      const song = sampleOf(tracks[0], channel, at);
      let mix = 0;
      for (let stem = 0; stem < this.#gains.length; stem += 1) {
        const sample = this.#gains[stem][channel % 2] * sampleOf(tracks[stem + 1], channel, at);
        mix += sample;
        const heard = Math.abs(sample) * this.#fade * (1 - this.#original);
        if (heard > this.#peaks[stem]) this.#peaks[stem] = heard;
      }
      this.#match.hear(mix, song);
      const sample = level * (mix + this.#original * (this.#match.gain * song - mix));
      output[channel][frame] = sample;
      this.#loudest = Math.max(this.#loudest, Math.abs(sample));
    }
    this.#match.settle(this.#controls.original);
  }

  /** @param {number} frames */
  #report(frames) {
    this.#untilReport -= frames;
    if (this.#untilReport > 0) return;
    this.#untilReport = REPORT_SECONDS * sampleRate;
    /** @type {FromMixer} */
    const report = {
      epoch: this.#epoch,
      position: this.#position,
      played: this.#played,
      playing: this.#playing,
      sounding: this.#playing || this.#fade >= FADED,
      waiting: this.#waiting,
      levels: { stems: this.#peaks, master: this.#loudest },
    };
    this.port.postMessage(report);
    this.#peaks = this.#peaks.map(() => 0);
    this.#loudest = 0;
  }
}

/** Songs of one channel are heard on both sides. @param {Float32Array[]} channels @param {number} channel @param {number} at */
function sampleOf(channels, channel, at) {
  return channels[Math.min(channel, channels.length - 1)][at];
}

registerProcessor("mixer", Mixer);
