/** One graph on onnxruntime-web, as the engine runs it: WASM, a thread for each core. */

import * as ort from "/vendor/onnxruntime-web/ort.wasm.min.mjs";

const MOST_THREADS = 8; // as in engine/devices/choice.js

let session;
let feeds;

onmessage = async ({ data }) => postMessage(await (data === "run" ? run() : open(data)));
addEventListener("unhandledrejection", ({ reason }) => {
  throw reason;
});

async function open({ url, shapes }) {
  ort.env.logLevel = "error";
  ort.env.wasm.wasmPaths = "/vendor/onnxruntime-web/";
  ort.env.wasm.numThreads = Math.min(navigator.hardwareConcurrency, MOST_THREADS);
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], enableMemPattern: false });
  feeds = Object.fromEntries(Object.entries(shapes).map(([name, dims]) => [name, waves(dims)]));
  return ort.env.wasm.numThreads;
}

async function run() {
  const begin = performance.now();
  await session.run(feeds);
  return (performance.now() - begin) / 1000;
}

function waves(dims) {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return new ort.Tensor("float32", Float32Array.from({ length: size }, (_, index) => Math.sin(index)), dims);
}
