/**
 * Loads Python and `demixer.bridge` into a worker. The only file that imports Pyodide.
 */

import { DemixError } from "../base/errors.js";
import { fetchPart, loaded, startError } from "../base/loading.js";
import { siteUrl } from "../base/site.js";

/** @typedef {import("../vendor/pyodide/pyodide.mjs").PyodideAPI} Interpreter */
/** @typedef {import("./protocol.js").JobReport} JobReport */
/** @typedef {import("./protocol.js").JobRequest} JobRequest */
/** @typedef {import("../library/audio-reader.js").AudioReader} AudioReader */
/** @typedef {{ name: string, bytes: Uint8Array }} Wheel */
/** @typedef {{ stems: number[], mix: number, residual: number }} MixMeasurement as `demixer.mixdown.MixMeasurement` */

/** Runs one of the two stages of a start. @typedef {<T>(stage: "python" | "packages", work: () => Promise<T>) => Promise<T>} Stage */

/** With what they depend on: each is checked. */
const PACKAGES = ["numpy", "micropip", "packaging"];

/** @type {Promise<Interpreter> | undefined} */
let interpreter;
/** @type {Promise<Bridge> | undefined} */
let bridge;

/** The one interpreter of this worker, with numpy. */
export function loadInterpreter() {
  interpreter ??= startInterpreter();
  return interpreter;
}

/** @returns {Promise<Interpreter>} */
async function startInterpreter() {
  const { loadPyodide } = await loaded(import("../vendor/pyodide/pyodide.mjs"));
  const python = await Promise.race([
    failedInstantiation(),
    loadPyodide({
      indexURL: siteUrl("vendor/pyodide/").href,
      packages: PACKAGES,
      stdout: () => {}, // names of the packages it loads
    }),
  ]);
  // It starts without those that it cannot fetch.
  const missing = PACKAGES.filter((name) => !(name in python.loadedPackages));
  if (missing.length === 0) return python;
  throw new DemixError("program/network", `Python's ${missing.join(" and ")} could not be loaded.`);
}

/**
 * Rejects when Pyodide's WebAssembly cannot be loaded: Pyodide itself would wait for it for ever.
 * @returns {Promise<never>}
 */
function failedInstantiation() {
  const { instantiateStreaming } = WebAssembly;
  return new Promise((_, reject) => {
    WebAssembly.instantiateStreaming = async (source, imports) => {
      const response = await source;
      const isPyodide = response.url.endsWith("/pyodide.asm.wasm"); // a model runtime may start beside it
      if (isPyodide) WebAssembly.instantiateStreaming = instantiateStreaming;
      try {
        return await instantiateStreaming(response, imports);
      } catch (reason) {
        if (isPyodide) reject(reason);
        throw reason;
      }
    };
  });
}

/**
 * The one bridge of this worker.
 * @param {Stage} [stage]
 * @returns {Promise<Bridge>}
 */
export function loadBridge(stage = (_, work) => work()) {
  bridge ??= startBridge(stage).catch((reason) => {
    throw startError(reason);
  });
  return bridge;
}

/** @param {Stage} stage */
async function startBridge(stage) {
  const wheel = fetchWheel();
  wheel.catch(() => {}); // its error is thrown below
  const python = await stage("python", loadInterpreter);
  return stage("packages", async () => importBridge(python, await wheel));
}

/** `demixer.bridge`, with errors as exceptions. */
export class Bridge {
  #python;

  /** @param {any} python */
  constructor(python) {
    this.#python = python;
  }

  /**
   * @param {JobRequest} request
   * @param {AudioReader} song
   * @param {import("./worker/startup.js").Session[]} sessions one for each network of the model
   * @param {import("../library/job-output.js").JobOutput} output
   * @param {AbortSignal} signal
   * @param {import("../base/messages.js").Emit} emit
   * @returns {Promise<JobReport>}
   */
  runJob(request, song, sessions, output, signal, emit) {
    const { song: _, folder, ...settings } = request;
    return outcome(this.#python.run_job(JSON.stringify(settings), song, sessions, output, signal, emit));
  }

  /**
   * @param {string} name as `demixer.analyses` knows it
   * @param {AudioReader} source
   * @param {object} options
   * @param {AbortSignal} signal
   * @returns {Promise<any>} the analysis's own value
   */
  runAnalysis(name, source, options, signal) {
    return outcome(this.#python.run_analysis(name, source, JSON.stringify(options), signal));
  }

  /**
   * @param {AudioReader} song
   * @param {AudioReader[]} stems
   * @param {number[][]} gains of the mix, by stem and channel
   * @param {AbortSignal} signal
   * @param {(fraction: number) => void} report
   * @returns {Promise<MixMeasurement>}
   */
  measureMix(song, stems, gains, signal, report) {
    return outcome(this.#python.measure_mix(song, stems, JSON.stringify(gains), signal, report));
  }

  /**
   * @param {AudioReader[]} stems
   * @param {{ gains: number[][], gain: number, layout: string, seed: number }} request
   * @param {(count: number) => void} onClipped called when the rendering is closed, with its number of clipped samples
   */
  render(stems, request, onClipped) {
    return new Rendering(this.#python.render(stems, JSON.stringify(request)), onClipped);
  }
}

/** `demixer.pcm.Rendering`: stems as the bytes that an encoder takes, read from beginning to end. */
export class Rendering {
  #python;
  #onClipped;
  #clipped = 0;

  /** @param {any} python @param {(count: number) => void} onClipped */
  constructor(python, onClipped) {
    this.#python = python;
    this.#onClipped = onClipped;
  }

  /** @param {number} start @param {number} stop @returns {Promise<Uint8Array>} */
  async read(start, stop) {
    const { bytes, clipped } = await outcome(this.#python.read(start, stop));
    this.#clipped = clipped;
    return bytes;
  }

  /** MD5 of the samples read so far, as FLAC has it. @returns {Uint8Array<ArrayBuffer>} */
  digest() {
    const text = /** @type {string} */ (this.#python.digest());
    return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  }

  /** Releases Python's half. */
  close() {
    this.#python.destroy();
    this.#onClipped(this.#clipped);
  }
}

/** @param {Interpreter} python @param {Wheel} wheel */
async function importBridge(python, wheel) {
  await install(python, wheel);
  const border = python.pyimport("demixer.runtimes.web");
  const module = python.pyimport("demixer.bridge");
  try {
    return new Bridge(module.Bridge(border));
  } finally {
    border.destroy();
    module.destroy();
  }
}

/** @param {Interpreter} python @param {Wheel} wheel */
async function install(python, { name, bytes }) {
  const file = `/tmp/${name}`;
  const micropip = python.pyimport("micropip");
  python.FS.writeFile(file, bytes);
  try {
    await micropip.install.callKwargs(`emfs:${file}`, { deps: false });
  } finally {
    python.FS.unlink(file);
    micropip.destroy();
  }
}

/**
 * Our wheel, under the name that the build gave it. Fetched here because micropip would accept an error page.
 * @returns {Promise<Wheel>}
 */
async function fetchWheel() {
  /** @type {{ wheel: string }} */
  const { wheel } = await (await fetchPart("assets.json")).json();
  const name = wheel.slice(wheel.lastIndexOf("/") + 1);
  return { name, bytes: new Uint8Array(await (await fetchPart(wheel)).arrayBuffer()) };
}

/**
 * The value of a reply of `demixer.bridge`.
 * @param {PromiseLike<any> & { destroy: () => void }} coroutine
 * @returns {Promise<any>}
 */
async function outcome(coroutine) {
  try {
    const { ok, value, error } = await coroutine;
    if (ok) return value;
    throw DemixError.from(error);
  } catch (reason) {
    throw DemixError.wrap(reason, "engine/crashed"); // Python itself has ended
  } finally {
    coroutine.destroy();
  }
}
