/** Runs `decode.js` in a worker for `test_decode.py`. This file is both the page's and the worker's side. */

import { Caller, parentPort, serve, Transferred, WorkerClient } from "/src/base/messages.js";

/** Milliseconds after which a file counts as hanging. */
const TIMEOUT_MS = 30_000;

/** As in `tests/fuzzing/reader.py`. */
const WINDOW_SECONDS = 0.05;

const anything = () => true;
const DECODE = { version: 1, requests: { decode: anything, figures: anything }, events: [] };
const PAGE = { version: 1, requests: { "file.decode": anything }, events: [] };

/** @type {WorkerClient} */
let client;

const Native = globalThis.AudioDecoder ?? class {};

/** Decoders that say of every file that they can decode it. */
const DECODERS = {
  /** As where WebCodecs are missing. */
  missing: undefined,

  failing: class extends Native {
    #fail;

    constructor({ output, error }) {
      super({ output, error });
      this.#fail = error;
    }

    decode() {
      queueMicrotask(() => this.#fail(new DOMException("It cannot be decoded.", "EncodingError")));
    }
  },

  silent: class extends Native {
    decode() {}

    flush() {
      return new Promise(() => {});
    }
  },

  /** Decodes a second and a half, of packets of 20 ms or more. */
  stopping: class extends Native {
    #left = 75;

    decode(chunk) {
      if (this.#left-- > 0) super.decode(chunk);
    }

    flush() {
      return new Promise(() => {});
    }
  },

  /** Gives the pre-skip of Opus as sound, as WebKit does. */
  unskipping: class extends Native {
    configure(config) {
      const description = new Uint8Array(config.description);
      description.set([0, 0], 10);
      super.configure({ ...config, description });
    }
  },
};

/** Makes ten seconds half a second. */
function hurry() {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (run, ms) => setTimeout(run, ms / 20);
}

/** Decodes a file in one worker for all files; returns blocks with samples in base64, or the error. */
export function decoded(base64) {
  client ??= start(import.meta.url);
  return call(client, base64);
}

/** The same in a worker of its own, whose browser has another `AudioDecoder`: a name of `DECODERS`. */
export async function decodedBy(decoder, base64) {
  const other = start(`${import.meta.url}?${decoder}`);
  try {
    return await call(other, base64);
  } finally {
    other.end();
  }
}

/** Figures of a file's sound, its tags, or the error, by the worker for all files; one that hangs is ended. */
export async function figuresOf(base64) {
  client ??= start(import.meta.url);
  try {
    return await call(client, base64, "figures");
  } catch (error) {
    client.end();
    client = undefined;
    return { raw: String(error) };
  }
}

function call(worker, base64, what = "decode") {
  const file = new Blob([Uint8Array.fromBase64(base64)]);
  return worker.call(what, file, { signal: AbortSignal.timeout(TIMEOUT_MS) });
}

function start(url) {
  const worker = new Worker(url, { type: "module" });
  serve(worker, PAGE, () => ({
    "file.decode": async ({ file, rate }) => {
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
  const name = new URL(import.meta.url).search.slice(1);
  if (name) {
    globalThis.AudioDecoder = DECODERS[name];
    hurry();
  }
  const page = new Caller(parentPort, PAGE);
  const decodeWhole = (file, rate) => page.call("file.decode", { file, rate });
  serve(parentPort, DECODE, () => ({
    decode: (file) => blocksOf(file, decodeWhole),
    figures: (file) => figures(file, decodeWhole),
  }));
}

async function blocksOf(file, decodeWhole) {
  const { decode } = await import("/src/decode/worker/decode.js");
  const blocks = [];
  let loss = null;
  const reportLoss = (reported) => {
    loss = reported;
  };
  try {
    for await (const block of decode(file, decodeWhole, reportLoss)) blocks.push(block);
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
  return {
    loss,
    rates: blocks.map(({ rate }) => rate),
    lengths: blocks.map(({ channels }) => channels.map(({ length }) => length)),
    own: blocks.every(({ channels }) => channels.every((plane) => plane.buffer.byteLength === plane.byteLength)),
    fractions: blocks.map(({ fraction }) => fraction),
    channels: blocks[0].channels.map((_, index) => join(blocks.map(({ channels }) => channels[index]))),
  };
}

/** What `figures` in `tests/fuzzing/reader.py` tells of a file, and its tags. */
async function figures(file, decodeWhole) {
  const { decode } = await import("/src/decode/worker/decode.js");
  const { readTags } = await import("/src/decode/worker/tags.js");
  const tags = await readTags(file);
  const blocks = [];
  try {
    for await (const block of decode(file, decodeWhole)) blocks.push(block);
  } catch (error) {
    const { name, code, message } = error;
    return name === "DemixError" ? { tags, code, message } : { raw: `${name}: ${message}` };
  }
  const [{ rate }] = blocks;
  const planes = blocks[0].channels.map((_, index) => joined(blocks.map(({ channels }) => channels[index])));
  const hop = Math.max(1, Math.round(WINDOW_SECONDS * rate));
  const levels = Array.from({ length: Math.ceil(planes[0].length / hop) }, (_, window) =>
    Math.max(...planes.map((plane) => level(plane.subarray(window * hop, (window + 1) * hop)))),
  );
  const peak = planes.flatMap((plane) => plane.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0));
  return {
    tags,
    rate,
    channels: planes.length,
    seconds: planes[0].length / rate,
    peak: Math.max(...peak),
    levels,
    finite: planes.every((plane) => plane.every(Number.isFinite)),
  };
}

function level(samples) {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length);
}

function join(parts) {
  return new Uint8Array(joined(parts).buffer).toBase64();
}

function joined(parts) {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
