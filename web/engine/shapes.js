/**
 * Whether the data of a request has the shape that `protocol.js` gives it. What a model is, is for Python to judge.
 */

/** @typedef {import("./protocol.js").Calls} Calls */
/** @typedef {(value: any) => boolean} Shape */

/** @type {Shape} */
const text = (value) => typeof value === "string";
/** @type {Shape} */
const flag = (value) => typeof value === "boolean";
/** @type {Shape} */
const count = (value) => Number.isSafeInteger(value) && value > 0;

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
const model = object({ id: text, artifacts: mapOf(artifact) });
const pcm = object({
  rate: (value) => Number.isFinite(value) && value > 0,
  channels: listOf((channel) => channel instanceof Float32Array),
});
const trial = object({ device: oneOf("wasm", "webgpu"), threads: count });
const settings = object({
  device: oneOf("auto", "wasm", "webgpu"),
  threads: optional(count),
  known: optional(
    object({
      verdicts: mapOf(object({ right: flag })),
      measured: (value) => value === null || object({ trials: listOf(trial) })(value),
    }),
  ),
});

/** @type {Record<keyof Calls, Shape>} */
const DATA = {
  "engine.start": settings,
  "device.measure": settings,
  "model.open": object({ model, precision: optional(text) }),
  "song.peaks": object({ pcm, hop: count }),
  "job.run": object({
    job: text,
    pcm,
    model,
    preset: text,
    precision: optional(text),
    raw: optional(flag),
    hop: count,
  }),
  "job.cancel": object({ job: (value) => value === null || text(value) }),
};

/**
 * @param {keyof Calls} type
 * @param {unknown} data
 */
export const fits = (type, data) => DATA[type](data);
