/** The page's side of `build.py bench`: single graphs in a worker, and whole songs through the engine. */

import { EngineClient } from "/src/engine/page/client.js";
import { openFolder, remove } from "/src/library/opfs.js";
import { decodeSong } from "/src/decode/page/client.js";
import { wavHeader } from "/src/export/page/wav.js";

const RATE = 44_100;
const HOP = 512;

/** @type {Worker} */
let worker;
/** @type {EngineClient} */
let engine;

/** Stored songs by length, with their normalisation. */
const stored = {};

/** Loads one graph, without the engine. @returns {Promise<number>} its threads */
export function openGraph(url, shapes) {
  worker = new Worker("/bench/graph-worker.js", { type: "module" });
  return ask({ url, shapes });
}

/** @returns {Promise<number>} seconds of one run */
export const runGraph = () => ask("run");

/** Loads a model through the engine. @returns {Promise<number | null>} seconds from bytes to a session */
export async function openModel(model, precision, settings = { device: "wasm" }) {
  engine = new EngineClient();
  await engine.start(settings);
  if (Object.keys(model.artifacts).length === 0) return null;
  let began = 0;
  let seconds = null;
  engine.addEventListener("model.progress", ({ detail: { stage, done } }) => {
    if (stage !== "create") return;
    if (done === 0) began = performance.now();
    else seconds = (performance.now() - began) / 1000;
  });
  await engine.openModel(model, precision);
  return seconds;
}

/**
 * Separates a stored song as the page does, from the click until its stems are stored.
 * @returns {Promise<{ seconds: number, modelSeconds: number }>}
 */
export async function separate(model, precision, length) {
  const input = await store(length);
  const job = crypto.randomUUID();
  const folder = `bench/jobs/${job}`;
  const begin = performance.now();
  const { modelSeconds } = await engine.run({ job, ...input, folder, model, precision, preset: "standard", hop: HOP });
  const seconds = (performance.now() - begin) / 1000;
  await remove(await openFolder("bench/jobs"), job);
  return { seconds, modelSeconds };
}

/** Decodes a song into the storage, once for each length. */
async function store(length) {
  const folder = `bench/songs/${length}`;
  stored[length] ??= (async () => {
    const { channels, rate } = song(length);
    const interleaved = new Float32Array(2 * length);
    for (const [number, samples] of channels.entries()) {
      for (let index = 0; index < length; index++) interleaved[2 * index + number] = samples[index];
    }
    const file = new File([wavHeader(rate, 2, length), interleaved], "song.wav");
    const { normalisation, ...audio } = await decodeSong(file, "song", folder, new AbortController().signal, () => {});
    return { song: { ...audio, folder }, normalisation };
  })();
  return stored[length];
}

/** Tones and noise, the same every time. */
export function song(length) {
  const channels = [0, 1].map((channel) => {
    const samples = new Float32Array(length);
    let noise = 1 + channel;
    for (let index = 0; index < length; index++) {
      noise = (noise * 16_807) % 0x7fffffff;
      const tones = Math.sin(index * 0.0314) + Math.sin(index * 0.0395) + Math.sin(index * 0.047);
      samples[index] = 0.1 * tones + 0.1 * (noise / 0x7fffffff - 0.5);
    }
    return samples;
  });
  return { rate: RATE, channels };
}

function ask(message) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(message);
  });
}
