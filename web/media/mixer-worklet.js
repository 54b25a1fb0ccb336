/**
 * The mixer on the audio thread. All tracks arrive together in blocks of one position, so they cannot
 * drift apart. Where a block is missing, time stands still until it comes.
 */

/** @typedef {import("./player.js").Block} Block */
/** @typedef {import("./player.js").ToMixer} ToMixer */
/** @typedef {import("./player.js").FromMixer} FromMixer */

/** Gains move towards their target with this time constant, so that no step is heard. */
const SMOOTHING_SECONDS = 0.008;

/** Below this the fade before a pause or a jump counts as done. */
const FADED = 1e-3;

/** The page hears of the position this often. */
const REPORT_SECONDS = 0.04;

class Mixer extends AudioWorkletProcessor {
  /** @type {Block[]} */
  #blocks = [];
  #position = 0;
  #epoch = 0;
  #playing = false;
  #waiting = false;
  /** @type {{ epoch: number, position: number } | null} */
  #jump = null;
  /** @type {number[]} */
  #targets;
  /** @type {number[]} */
  #gains;
  #fade = 0;
  #step = 1 - Math.exp(-1 / (SMOOTHING_SECONDS * sampleRate));
  #untilReport = 0;
  #length;

  /** @param {{ processorOptions: { length: number, gains: number[] } }} options */
  constructor({ processorOptions }) {
    super();
    this.#length = processorOptions.length;
    this.#targets = processorOptions.gains;
    this.#gains = [...processorOptions.gains];
    this.port.onmessage = ({ data }) => this.#receive(data);
  }

  /** @param {ToMixer} message */
  #receive(message) {
    switch (message.type) {
      case "block":
        this.#blocks.push(message.block);
        break;
      case "gains":
        this.#targets = message.gains;
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
      this.#mix(block, output, frame);
      this.#position += 1;
      if (this.#position >= this.#length) this.#playing = false;
    }
    this.#report(frames);
    return true;
  }

  /** Carries out a jump once the old place has faded out, and lets go of blocks that are behind. */
  #settle() {
    if (this.#jump && this.#fade < FADED) {
      const { epoch, position } = this.#jump;
      this.#epoch = epoch;
      this.#position = position;
      this.#blocks = this.#blocks.filter((block) => block.epoch === epoch);
      this.#jump = null;
      this.#fade = 0;
      this.#untilReport = 0;
    }
    const [first] = this.#blocks;
    if (first && this.#position >= first.start + first.length) this.#blocks.shift();
  }

  /** The block at the present position, if it is here. */
  #current() {
    for (const block of this.#blocks) {
      if (this.#position >= block.start && this.#position < block.start + block.length) return block;
    }
    return null;
  }

  /**
   * @param {Block} block
   * @param {Float32Array[]} output
   * @param {number} frame
   */
  #mix(block, output, frame) {
    const audible = this.#playing && !this.#jump ? 1 : 0;
    this.#fade += this.#step * (audible - this.#fade);
    const at = this.#position - block.start;
    for (let track = 0; track < block.tracks.length; track += 1) {
      this.#gains[track] += this.#step * (this.#targets[track] - this.#gains[track]);
      const gain = this.#gains[track] * this.#fade;
      const channels = block.tracks[track];
      for (let channel = 0; channel < output.length; channel += 1) {
        output[channel][frame] += gain * channels[channel][at];
      }
    }
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
      sounding: this.#playing || this.#fade >= FADED,
      waiting: this.#waiting,
    };
    this.port.postMessage(report);
  }
}

registerProcessor("mixer", Mixer);
