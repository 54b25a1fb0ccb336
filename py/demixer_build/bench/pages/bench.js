/** The page's end of `build.py bench`: graphs by themselves in workers of their own, and whole songs. */

import { EngineClient } from "/engine/client.js";

const RATE = 44_100;
const HOP = 512;

/** @type {Worker} */
let worker;
/** @type {EngineClient} */
let engine;

/** Loads one graph, without the engine. @returns {Promise<number>} the threads it will use */
export function openGraph(url, shapes) {
  worker = new Worker("/bench/graph-worker.js", { type: "module" });
  return ask({ url, shapes });
}

/** @returns {Promise<number>} seconds of one run */
export const runGraph = () => ask("run");

/** Loads a model through the engine. @returns {Promise<number | null>} seconds from bytes to a session */
export async function openModel(model, precision) {
  engine = new EngineClient();
  await engine.start({ device: "wasm" });
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

/** Separates a song. @returns {Promise<{ seconds: number, modelSeconds: number }>} */
export const separate = (model, precision, length) =>
  engine.run({ job: crypto.randomUUID(), pcm: song(length), model, precision, preset: "standard", hop: HOP });

/** Chords and noise, the same every time, in memory that the worker reads in place. */
export function song(length) {
  const channels = [0, 1].map((channel) => {
    const samples = new Float32Array(new SharedArrayBuffer(4 * length));
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
