/**
 * The page's side of `engines.py`: an engine, a log of its events, and songs from Python.
 */

import { describe } from "/src/base/errors.js";
import { checkEvents } from "/src/base/messages.js";
import { watchRequests } from "/src/base/requests.js";
import { EngineClient } from "/src/engine/page/client.js";
import { ENGINE } from "/src/engine/protocol.js";

const HOP = 512;

/** All events in order, and the steps of the test. @type {string[]} */
export const log = [];
export let engine;
let chunks = [];
let fallbacks = [];
let running;
let controller;
const queues = [];
let jobs = 0;

checkEvents();

/** URLs that this page and its workers have requested from the network. @type {string[]} */
const requested = [];
watchRequests((urls) => requested.push(...urls));
export const requests = () => requested;

/** Replaces the engine by a new one. */
export function create(options) {
  engine?.dispose();
  engine = new EngineClient(options);
  log.length = 0;
  for (const type of ["engine.progress", "model.progress", "job.progress", "job.chunk", "engine.fatal"]) {
    engine.addEventListener(type, ({ detail }) => log.push([type, detail.stage].filter(Boolean).join(" ")));
  }
  engine.addEventListener("job.chunk", ({ detail }) => {
    if (detail.start === 0) chunks = []; // the job starts over
    chunks.push(detail);
  });
  fallbacks = [];
  engine.addEventListener("engine.fallback", ({ detail }) => {
    fallbacks.push(detail);
    log.push("engine.fallback");
  });
}

/** The value of a promise, or its error as plain data. */
export async function outcome(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    return describe(error);
  }
}

export const start = (settings) => outcome(engine.start(settings));
export const open = (model) => outcome(engine.openModel(model));
export const logged = () => log;
export const fallbackEvents = () => fallbacks;

/** Resolves with the log once it contains an event. */
export function seen(name) {
  if (log.includes(name)) return log;
  return new Promise((resolve) => {
    const watch = () => (log.includes(name) ? resolve(log) : requestAnimationFrame(watch));
    watch();
  });
}

/** Resolves once an event was logged after the last `mark`, if any. */
export function seenSince(mark, name) {
  const since = () => log.slice(log.lastIndexOf(mark) + 1).includes(name);
  return new Promise((resolve) => {
    const watch = () => (since() ? resolve() : requestAnimationFrame(watch));
    watch();
  });
}

/** Separates a song; returns the samples of each channel as one array. */
export async function separate(model, song, settings = {}) {
  const audio = inMemory(song);
  chunks = [];
  const result = await outcome(run(model, audio, settings));
  const stems = [];
  for (const [index, name] of model.stems.entries()) {
    const pieces = chunks.flatMap(({ stems }) => stems[index].pieces);
    const samples = new Float32Array(await new Blob(pieces.map(({ blob }) => blob)).arrayBuffer());
    stems.push({
      name,
      channels: song.channels.map((_, channel) => join([everyNth(samples, audio.channels, channel)])),
      peaks: join(chunks.map(({ stems }) => stems[index].peaks)),
      names: [...new Set(chunks.map(({ stems }) => stems[index].name))],
    });
  }
  const starts = chunks.map(({ start, length }) => [start, length]);
  const input = new Float32Array(await audio.pieces[0].blob.arrayBuffer());
  return { ...result, stems, starts, input: song.channels.map((_, c) => join([everyNth(input, audio.channels, c)])) };
}

/** Starts a separation for the test to disturb. */
export function begin(model, seconds, settings = {}) {
  const length = 44_100 * Math.min(seconds, 10);
  const tone = Float32Array.from({ length: 2 * length }, (_, index) => Math.sin((index >> 1) / 16));
  const blob = new Blob([tone]); // one for all pieces: a long song costs no memory
  const starts = Array.from({ length: Math.ceil(seconds / 10) }, (_, index) => index * length);
  const pieces = starts.map((start) => ({ start, length, blob }));
  const song = { rate: 44_100, channels: 2, length: starts.length * length, folder: null, pieces };
  controller = new AbortController();
  running = outcome(run(model, song, settings, controller.signal));
  running.then(({ code }) => log.push(`ended ${code}`));
}

export function beginOpening(model) {
  controller = new AbortController();
  running = outcome(engine.openModel(model, undefined, controller.signal));
  running.then(({ code }) => log.push(`ended ${code}`));
}

export const ended = () => running;

/** Computes an analysis of a song, or aborts it immediately. */
export async function analyse(name, song, options, abort = false) {
  const own = new AbortController();
  const analysis = outcome(engine.analyse(name, inMemory(song), options, own.signal));
  if (abort) own.abort();
  const { value, ...failure } = await analysis;
  return value ? { pixels: Array.from(value.pixels) } : failure;
}

/** Aborts the last call. */
export function abort() {
  controller.abort();
}

/** Opens a model while a job runs; `queued` returns the outcome. */
export function queue(model) {
  return queues.push(outcome(engine.openModel(model))) - 1;
}

export const queued = (index) => queues[index];

/** Number of occurrences of an event. */
export const count = (name) => log.filter((entry) => entry === name).length;

/** Resolves once an event has occurred `times` times. */
export function seenTimes(name, times) {
  return new Promise((resolve) => {
    const watch = () => (count(name) >= times ? resolve() : requestAnimationFrame(watch));
    watch();
  });
}

/** Aborts the last call, and returns its outcome once the engine takes calls again. */
export async function cancel() {
  log.push("cancel");
  controller.abort(); // it may be aborted already
  const result = await running;
  await engine.start();
  log.push("free");
  return result;
}

/** Sends messages to a new worker and collects the replies; an abort has none. */
export function raw(requests) {
  const worker = spawn();
  return replies(worker, requests).finally(() => worker.terminate());
}

/**
 * The same in batches, with one more request after all others. Requests that name a song get one.
 */
export async function storm(requests, last, song) {
  const worker = spawn();
  const audio = inMemory(song);
  for (const { data } of [...requests, last]) {
    for (const name of ["song", "source"]) if (data?.[name] === "song") data[name] = audio;
  }
  const received = [];
  for (let at = 0; at < requests.length; at += 100) {
    received.push(...(await replies(worker, requests.slice(at, at + 100))));
  }
  received.push(...(await replies(worker, [last])));
  worker.terminate();
  return received.map(({ id, ok, error }) => ({ id, ok, error }));
}

const spawn = () => new Worker("/src/engine/worker/main.js", { type: "module", name: crypto.randomUUID() });

function replies(worker, requests) {
  const received = [];
  const count = requests.filter((request) => request?.type !== "abort").length;
  return new Promise((resolve) => {
    const listen = ({ data }) => {
      if ("id" in data) received.push(data);
      if (received.length < count) return;
      worker.removeEventListener("message", listen);
      resolve(received);
    };
    worker.addEventListener("message", listen);
    for (const request of requests) worker.postMessage(request);
  });
}

export const version = () => ENGINE.version;

export async function kept() {
  const urls = [];
  for (const name of await caches.keys()) {
    for (const request of await (await caches.open(name)).keys()) urls.push(request.url);
  }
  return urls;
}

export async function damageKept() {
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) await cache.put(request, new Response("damaged"));
  }
}

const run = (model, song, settings, signal) =>
  engine.run(
    { job: `job-${++jobs}`, song, folder: null, model, preset: "standard", hop: HOP, ...settings },
    signal,
  );

/** A song as the page keeps it without storage. */
function inMemory({ rate, channels }) {
  const planes = channels.map((text) => new Float32Array(Uint8Array.fromBase64(text).buffer));
  const length = planes[0]?.length ?? 0;
  const samples = new Float32Array(length * planes.length);
  for (const [channel, plane] of planes.entries()) {
    for (let frame = 0; frame < length; frame += 1) samples[frame * planes.length + channel] = plane[frame];
  }
  const pieces = [{ start: 0, length, blob: new Blob([samples]) }];
  return { rate, channels: planes.length, length, folder: null, pieces };
}

function everyNth(samples, count, channel) {
  return Float32Array.from({ length: samples.length / count }, (_, frame) => samples[frame * count + channel]);
}

/** Joins arrays into one, in base64. */
function join(arrays) {
  const whole = new Float32Array(arrays.reduce((length, array) => length + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return new Uint8Array(whole.buffer).toBase64();
}
