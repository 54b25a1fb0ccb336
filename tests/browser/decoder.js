/** Runs `decode.js` in a worker for `test_decode.py`. This file is both the page's and the worker's side. */

import { Caller, parentPort, serve, Transferred, WorkerClient } from "/src/base/messages.js";

/** Milliseconds after which a file counts as hanging. */
const TIMEOUT_MS = 30_000;

const anything = () => true;
const DECODE = { version: 1, requests: { decode: anything }, events: [] };
const PAGE = { version: 1, requests: { "file.decode": anything }, events: [] };

/** @type {WorkerClient} */
let client;
let file;

/** Decodes a file in one worker for all files; returns blocks with samples in base64, or the error. */
export function decoded(base64) {
  client ??= start();
  file = new Blob([Uint8Array.fromBase64(base64)]);
  return client.call("decode", file, { signal: AbortSignal.timeout(TIMEOUT_MS) });
}

function start() {
  const worker = new Worker(import.meta.url, { type: "module" });
  serve(worker, PAGE, () => ({
    "file.decode": async (rate) => {
      const { decodeWhole } = await import("/src/decode/page/whole-file.js");
      const planar = await decodeWhole(file, rate);
      return new Transferred(
        planar,
        planar.channels.map(({ buffer }) => buffer),
      );
    },
  }));
  return new WorkerClient(worker, DECODE);
}

if (typeof document === "undefined") {
  const page = new Caller(parentPort, PAGE);
  serve(parentPort, DECODE, () => ({ decode: (file) => blocksOf(file, (rate) => page.call("file.decode", rate)) }));
}

async function blocksOf(file, decodeWhole) {
  const { decode } = await import("/src/decode/worker/decode.js");
  const blocks = [];
  try {
    for await (const block of decode(file, decodeWhole)) blocks.push(block);
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
  return {
    rates: blocks.map(({ rate }) => rate),
    lengths: blocks.map(({ channels }) => channels.map(({ length }) => length)),
    own: blocks.every(({ channels }) => channels.every((plane) => plane.buffer.byteLength === plane.byteLength)),
    fractions: blocks.map(({ fraction }) => fraction),
    channels: blocks[0].channels.map((_, index) => join(blocks.map(({ channels }) => channels[index]))),
  };
}

function join(parts) {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(all.buffer).toBase64();
}
