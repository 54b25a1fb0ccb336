/** Messages between the page and the mixer on the audio thread. They go through the port of an `AudioWorkletNode`. */

/** @typedef {[left: number, right: number]} Sides linear gains */

/**
 * Settings of the mixer.
 * @typedef {object} Controls
 * @property {Sides[]} stems
 * @property {number} master linear gain of the output
 * @property {boolean} original true to play the song itself, as loud as the mix of the stems
 */

/**
 * @typedef {object} Block
 * @property {number} epoch grows with every seek; blocks of earlier epochs are dropped
 * @property {number} start
 * @property {number} length
 * @property {boolean} last true at the end of the song
 * @property {Float32Array[][]} tracks samples by track and channel
 */

/**
 * @typedef {{ type: "block", block: Block }
 *   | { type: "controls", controls: Controls }
 *   | { type: "play" } | { type: "pause" }
 *   | { type: "seek", epoch: number, position: number }} ToMixer
 */

/** @typedef {{ stems: number[], master: number }} Levels highest samples since the last report */

/**
 * @typedef {object} FromMixer
 * @property {number} epoch
 * @property {number} position
 * @property {number} played samples since the last seek
 * @property {boolean} playing
 * @property {boolean} sounding also true while it fades out
 * @property {boolean} waiting for the next block
 * @property {Levels} levels
 */

export {};
