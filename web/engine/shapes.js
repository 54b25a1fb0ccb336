/**
 * Whether the data of a request has the shape that `protocol.js` gives it. What a model is, is for Python to judge.
 */

/** @typedef {import("./protocol.js").Calls} Calls */
/** @typedef {import("./protocol.js").ComputeCalls} ComputeCalls */
/** @typedef {(value: any) => boolean} Shape */

/** @type {Shape} */
const text = (value) => typeof value === "string";
/** @type {Shape} */
const flag = (value) => typeof value === "boolean";
/** @type {Shape} */
const count = (value) => Number.isSafeInteger(value) && value > 0;

/** @type {Shape} */
const position = (value) => Number.isSafeInteger(value) && value >= 0;
/** @type {Shape} */
const optionalText = (value) => value === null || text(value);

/** @param {Shape} shape @returns {Shape} */
const optional = (shape) => (value) => value === undefined || shape(value);
/** @param {Shape} shape @returns {Shape} */
const listOf = (shape) => (value) => Array.isArray(value) && value.every(shape);
/** @param {Shape} shape @returns {Shape} */
const mapOf = (shape) => (value) => isObject(value) && Object.values(value).every(shape);
/** @param {...unknown} choices @returns {Shape} */
const oneOf =
  (...choices) =>
  (value) =>
    choices.includes(value);
/** @param {Record<string, Shape>} shapes @returns {Shape} */
const object = (shapes) => (value) =>
  isObject(value) && Object.entries(shapes).every(([name, shape]) => shape(value[name]));

/** @type {Shape} */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const artifact = object({ path: text, bytes: count, sha256: text });
const model = object({ id: text, artifacts: mapOf(artifact), gpu: optional(listOf(text)) });
const piece = object({ start: position, length: count, blob: (value) => value instanceof Blob });
const song = object({
  rate: (value) => Number.isFinite(value) && value > 0,
  channels: count,
  length: position,
  folder: optionalText,
  pieces: listOf(piece),
});
const level = object({ offset: Number.isFinite, scale: Number.isFinite });
const trial = object({ device: oneOf("wasm", "webgpu"), workers: optional(count), threads: count });
const settings = object({
  device: oneOf("auto", "wasm", "webgpu"),
  workers: optional(count),
  threads: optional(count),
  known: optional(
    object({
      verdicts: mapOf(object({ right: flag })),
      measured: (value) => value === null || object({ trials: listOf(trial) })(value),
    }),
  ),
});

const tensor = object({ name: text, dims: listOf(position), data: (value) => value instanceof Float32Array });

/** @type {Record<keyof Calls | keyof ComputeCalls, Shape>} */
const DATA = {
  "engine.start": settings,
  "device.measure": settings,
  "model.open": object({ model, precision: optional(text) }),
  "song.spectrogram": object({
    song,
    window: object({
      start: position,
      stop: position,
      columns: count,
      rows: count,
      low: Number.isFinite,
      high: Number.isFinite,
    }),
  }),
  "job.run": object({
    job: text,
    song,
    folder: optionalText,
    model,
    preset: text,
    precision: optional(text),
    raw: optional(flag),
    level: optional((value) => value === null || level(value)),
    hop: count,
  }),
  "job.cancel": object({ job: optionalText }),
  "runtime.load": object({ kind: oneOf("wasm"), threads: count }),
  "session.open": object({ session: count, model: (value) => value instanceof Uint8Array }),
  "session.run": object({ session: count, inputs: listOf(tensor) }),
  "session.release": object({ session: count }),
};

/**
 * @param {keyof Calls | keyof ComputeCalls} type
 * @param {unknown} data
 */
export const fits = (type, data) => DATA[type](data);
