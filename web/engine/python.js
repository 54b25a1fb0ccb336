/**
 * Python in the worker, and the Python half of the engine (`demixer.bridge`). The only file that imports Pyodide.
 */

import { DemixError } from "../base/errors.js";
import { siteUrl } from "../base/site.js";

/** @typedef {import("../vendor/pyodide/pyodide.mjs").PyodideAPI} Interpreter */
/** @typedef {import("./protocol.js").JobRequest} JobRequest */
/** @typedef {import("../library/audio-reader.js").AudioReader} AudioReader */
/** @typedef {{ name: string, bytes: Uint8Array }} Wheel */

/** @type {Promise<Interpreter> | undefined} */
let interpreter;

/** The one interpreter of this worker, with numpy. */
export function loadInterpreter() {
  interpreter ??= (async () => {
    const { loadPyodide } = await import("../vendor/pyodide/pyodide.mjs");
    return loadPyodide({
      indexURL: siteUrl("vendor/pyodide/").href,
      packages: ["numpy", "micropip"],
      stdout: () => {}, // names of the packages it loads
    });
  })();
  return interpreter;
}

/**
 * Our wheel, as the build has named it. Fetched here, since micropip takes whatever the server sends for a wheel.
 * @returns {Promise<Wheel>}
 */
export async function fetchWheel() {
  /** @type {{ wheel: string }} */
  const { wheel } = await (await fetched("assets.json")).json();
  const name = wheel.slice(wheel.lastIndexOf("/") + 1);
  return { name, bytes: new Uint8Array(await (await fetched(wheel)).arrayBuffer()) };
}

/** What `demixer.bridge` can do, with errors as exceptions. */
export class Bridge {
  #python;

  /** @param {any} python */
  constructor(python) {
    this.#python = python;
  }

  /** @param {Interpreter} python @param {Wheel} wheel */
  static async load(python, wheel) {
    await install(python, wheel);
    const border = python.pyimport("demixer.runtimes.web");
    const module = python.pyimport("demixer.bridge");
    const bridge = new Bridge(module.Bridge(border));
    border.destroy();
    module.destroy();
    return bridge;
  }

  /**
   * @param {string} name as `demixer.analyses` knows it
   * @param {AudioReader} source
   * @param {object} options
   * @param {AbortSignal} signal
   * @returns {Promise<any>} the analysis's own value
   */
  analyse(name, source, options, signal) {
    return outcome(this.#python.run_analysis(name, source, JSON.stringify(options), signal));
  }

  /**
   * @param {JobRequest} request
   * @param {AudioReader} song
   * @param {import("../library/job-output.js").JobOutput} output
   * @param {import("./worker/engine.js").Session | undefined} session
   * @param {AbortSignal} signal
   * @param {import("../base/messages.js").Emit} emit
   * @returns {Promise<import("./protocol.js").JobReport>}
   */
  run(request, song, output, session, signal, emit) {
    const { song: _, folder, ...settings } = request;
    return outcome(this.#python.run_job(JSON.stringify(settings), song, session, output, signal, emit));
  }

  /**
   * @param {AudioReader} song
   * @param {AudioReader[]} stems
   * @param {number[][]} gains of the mix, by stem and channel
   * @param {AbortSignal} signal
   * @param {(fraction: number) => void} report
   * @returns {Promise<import("../export/protocol.js").MixMeasurement>}
   */
  measureMix(song, stems, gains, signal, report) {
    return outcome(this.#python.measure_mix(song, stems, JSON.stringify(gains), signal, report));
  }

  /**
   * @param {AudioReader[]} stems
   * @param {{ gains: number[][], gain: number, layout: string, seed: number }} request
   * @param {(count: number) => void} clipped is told at the end how many samples were
   */
  render(stems, request, clipped) {
    return new Rendering(this.#python.render(stems, JSON.stringify(request)), clipped);
  }
}

/** Stems on their way to an encoder, read from the beginning to the end: `demixer.pcm.Rendering`. */
export class Rendering {
  #python;
  #tell;
  #clipped = 0;

  /** @param {any} python @param {(count: number) => void} clipped */
  constructor(python, clipped) {
    this.#python = python;
    this.#tell = clipped;
  }

  /** @param {number} start @param {number} stop @returns {Promise<Uint8Array>} */
  async read(start, stop) {
    const { bytes, clipped } = await outcome(this.#python.read(start, stop));
    this.#clipped = clipped;
    return bytes;
  }

  /** Gives Python's part back. */
  close() {
    this.#tell(this.#clipped);
    this.#python.destroy();
  }
}

/** @param {Interpreter} python @param {Wheel} wheel */
async function install(python, { name, bytes }) {
  const file = `/tmp/${name}`;
  python.FS.writeFile(file, bytes);
  const micropip = python.pyimport("micropip");
  await micropip.install.callKwargs(`emfs:${file}`, { deps: false });
  micropip.destroy();
  python.FS.unlink(file);
}

/** @param {string} path */
async function fetched(path) {
  const response = await fetch(siteUrl(path));
  const page = response.headers.get("content-type")?.startsWith("text/html");
  if (!response.ok || page) {
    throw new DemixError(
      "runtime/start-failed",
      `The server has no ${path}.`,
      "Reload the page, or try again later.",
    );
  }
  return response;
}

/**
 * @param {PromiseLike<any> & { destroy: () => void }} coroutine of a reply without its id
 * @returns {Promise<any>}
 */
async function outcome(coroutine) {
  try {
    const { ok, value, error } = await coroutine;
    if (ok) return value;
    throw DemixError.from(error);
  } finally {
    coroutine.destroy();
  }
}
