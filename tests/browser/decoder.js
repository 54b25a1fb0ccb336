/** `decode.js` for `test_decode.py`, in a worker as the page has it: this file is both ends. */

/** Milliseconds after which a file counts as one that hangs. */
const PATIENCE = 30_000;

/** @type {Worker} */
let worker;
let settle;

/** Decodes a file in a worker that lives as long as the page: what came of it, with the samples as text. */
export function decoded(base64) {
  worker ??= new Worker(import.meta.url, { type: "module" });
  const file = new Blob([Uint8Array.fromBase64(base64)]);
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("The decoder hangs.")), PATIENCE);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }) => {
      if (data.outcome) resolve(data.outcome);
      else answer(data.whole);
    };
    worker.postMessage({ file });
  });
}

/** The page decodes what the worker cannot. */
async function answer({ file, rate }) {
  const { decodeWhole } = await import("/src/decode/page/whole-file.js");
  try {
    const planar = await decodeWhole(file, rate);
    worker.postMessage(
      { planar },
      planar.channels.map(({ buffer }) => buffer),
    );
  } catch ({ code }) {
    worker.postMessage({ refused: { code } });
  }
}

if (typeof document === "undefined") {
  self.onmessage = async ({ data }) => {
    if (data.planar) settle.resolve(data.planar);
    else if (data.refused) settle.reject(data.refused);
    else self.postMessage({ outcome: await read(data.file) });
  };
}

function whole(file, rate) {
  settle = Promise.withResolvers();
  self.postMessage({ whole: { file, rate } });
  return settle.promise;
}

async function read(file) {
  const { decode } = await import("/src/decode/worker/decode.js");
  const blocks = [];
  try {
    for await (const block of decode(file, whole)) blocks.push(block);
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
