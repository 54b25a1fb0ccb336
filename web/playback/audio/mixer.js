/**
 * The mixer on the audio thread. All tracks arrive together in blocks, which are played in the order of their arrival, so
 * tracks cannot drift apart. When a block is missing, playback waits for it.
 */

import { LoudnessMatch } from "./loudness-match.js";

/** @typedef {import("../protocol.js").Block} Block */
/** @typedef {import("../protocol.js").Controls} Controls */
/** @typedef {import("../protocol.js").FromMixer} FromMixer */
/** @typedef {import("../protocol.js").Sides} Sides */
/** @typedef {import("../protocol.js").ToMixer} ToMixer */

/** Time constant of changes of gain, so no step is heard. */
const SMOOTHING_SECONDS = 0.008;

/** A fade before a pause or seek ends below this gain. */
const SILENT = 1e-3;

/** Interval of reports to the page. */
const REPORT_SECONDS = 0.04;

class Mixer extends AudioWorkletProcessor {
  /** In each block, the song is the first track. @type {Block[]} */
  #blocks = [];
  /** Samples of the first block that have been played. */
  #offset = 0;
  #position = 0;
  #played = 0;
  #epoch = 0;
  #playing = false;
  #waiting = false;
  /** @type {{ epoch: number, position: number } | null} */
  #seek = null;
  /** @type {Controls} */
  #controls;
  /** @type {Sides[]} */
  #gains;
  #master;
  /** Share of the song in the output, from 0 to 1. */
  #original;
  #match = new LoudnessMatch(sampleRate);
  #fade = 0;
  #step = 1 - Math.exp(-1 / (SMOOTHING_SECONDS * sampleRate));
  #untilReport = 0;
  /** Highest samples of the stems since the last report. @type {number[]} */
  #peaks;
  #masterPeak = 0;

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
        this.#seek = message;
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
      this.#advance();
      if (!this.#playing && this.#fade < SILENT) continue;
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

  /** Seeks once the old position has faded out, and drops a block that has been played. */
  #advance() {
    if (this.#seek && this.#fade < SILENT) {
      const { epoch, position } = this.#seek;
      this.#epoch = epoch;
      this.#position = position;
      this.#blocks = this.#blocks.filter((block) => block.epoch === epoch);
      this.#seek = null;
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

  /** The block at the current position, if it has arrived. */
  #current() {
    const [first] = this.#blocks;
    return first?.epoch === this.#epoch ? first : null;
  }

  /** Moves every gain towards its control. */
  #smooth() {
    const { stems, master, original } = this.#controls;
    const target = this.#playing && !this.#seek ? 1 : 0;
    this.#fade += this.#step * (target - this.#fade);
    this.#master += this.#step * (master - this.#master);
    this.#original += this.#step * ((original ? 1 : 0) - this.#original);
    for (let stem = 0; stem < stems.length; stem += 1) {
      const gains = this.#gains[stem];
      gains[0] += this.#step * (stems[stem][0] - gains[0]);
      gains[1] += this.#step * (stems[stem][1] - gains[1]);
    }
  }

  /**
   * Mixes one frame of a block, cross-fading between stems and song.
   * @param {Block} block
   * @param {Float32Array[]} output
   * @param {number} frame
   */
  #mix({ tracks }, output, frame) {
    const at = this.#offset;
    const gain = this.#fade * this.#master;
    for (let channel = 0; channel < output.length; channel += 1) {
      const song = sampleOf(tracks[0], channel, at);
      let mix = 0;
      for (let stem = 0; stem < this.#gains.length; stem += 1) {
        const sample = this.#gains[stem][channel % 2] * sampleOf(tracks[stem + 1], channel, at);
        mix += sample;
        const peak = Math.abs(sample) * this.#fade * (1 - this.#original);
        if (peak > this.#peaks[stem]) this.#peaks[stem] = peak;
      }
      this.#match.add(mix, song);
      const sample = gain * (mix + this.#original * (this.#match.gain * song - mix));
      output[channel][frame] = sample;
      this.#masterPeak = Math.max(this.#masterPeak, Math.abs(sample));
    }
    this.#match.update(this.#controls.original);
  }

  /** Reports position and levels to the page, if it is time. @param {number} frames since the last call */
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
      sounding: this.#playing || this.#fade >= SILENT,
      waiting: this.#waiting,
      levels: { stems: this.#peaks, master: this.#masterPeak },
    };
    this.port.postMessage(report);
    this.#peaks = this.#peaks.map(() => 0);
    this.#masterPeak = 0;
  }
}

/** A sample of a channel; mono songs play on both sides. @param {Float32Array[]} channels @param {number} channel @param {number} at */
function sampleOf(channels, channel, at) {
  return channels[Math.min(channel, channels.length - 1)][at];
}

registerProcessor("mixer", Mixer);
