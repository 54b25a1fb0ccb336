/**
 * The devices that could be used: the GPU that WebGPU offers, and the processor's cores, shared out to workers and
 * their threads.
 */

/** @typedef {import("../protocol.js").Isolation} Isolation */
/** @typedef {import("../protocol.js").Settings} Settings */

/** Renderers that emulate a GPU on the CPU: right results, a hundred times slower than WASM. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software/i;

const MOST_THREADS = 16;

/** Fewer threads for each worker are not worth a worker's memory. */
const FEWEST_THREADS = 2;

/** Of the machine's memory, for each worker: the largest model takes more than one, and other programs run too. */
const WORKER_MEMORY_GB = 4;

const WASM_NAME = /^wasm-(?:(?<workers>\d+)x)?(?<threads>\d+)$/;

/**
 * The reason why threads can share memory here, or cannot: only isolated pages may, and some browsers do not let even
 * those.
 * @returns {Isolation}
 */
export function isolation() {
  if (!self.crossOriginIsolated) return "not-isolated";
  return typeof SharedArrayBuffer === "function" ? "isolated" : "no-shared-memory";
}

/** True when a runtime can have several threads. */
export const canUseThreads = () => isolation() === "isolated";

/** Cores that a runtime with threads can use. */
export const usableCores = () => (canUseThreads() ? navigator.hardwareConcurrency : 1);

/**
 * The GPU adapter.
 * @param {boolean} [allowSoftware]
 * @returns {Promise<{ name: string, half: boolean } | null>} `half` when it can compute in float16; null when there is
 *   none for real work
 */
export async function findAdapter(allowSoftware = false) {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return null;
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const words = [description, vendor, architecture, device].filter(Boolean);
  if (!allowSoftware && (isFallbackAdapter || words.some((word) => SOFTWARE.test(word)))) return null;
  return {
    name: description || words.join(" ") || "unnamed GPU",
    half: adapter.features.has("shader-f16"),
  };
}

/**
 * Settings for each candidate, the most likely first: the GPU; all cores in one worker, then shared out to several;
 * and one worker with fewer threads, by powers of two.
 * @returns {Settings[]}
 */
export function candidates() {
  const cores = Math.min(navigator.hardwareConcurrency, MOST_THREADS);
  const [most, ...fewer] = canUseThreads() ? threadCounts(cores) : [1];
  const alone = (/** @type {number} */ threads) => processor(1, threads);
  return [{ device: "webgpu" }, alone(most), ...severalWorkers(cores), ...fewer.map(alone)];
}

/**
 * The name of some settings, under which a choice is kept and shown: `auto`, `webgpu`, `wasm-<threads>` or
 * `wasm-<workers>x<threads>`.
 * @param {Pick<Settings, "device" | "workers" | "threads">} settings
 */
export function nameOf({ device, workers = 1, threads }) {
  if (device !== "wasm") return device;
  return workers === 1 ? `wasm-${threads}` : `wasm-${workers}x${threads}`;
}

/**
 * The settings of that name; of an unknown one, those of `auto`.
 * @param {string} name
 * @returns {Settings}
 */
export function settingsOf(name) {
  const { workers = "1", threads } = WASM_NAME.exec(name)?.groups ?? {};
  if (threads) return processor(Number(workers), Number(threads));
  return { device: name === "webgpu" ? "webgpu" : "auto" };
}

/** @param {number} workers @param {number} threads @returns {Settings} */
const processor = (workers, threads) => ({ device: "wasm", workers, threads });

/** All cores, then the powers of two below. @param {number} cores */
function threadCounts(cores) {
  const counts = [cores];
  for (let threads = 2 ** Math.ceil(Math.log2(cores) - 1); threads >= 1; threads /= 2) counts.push(threads);
  return counts;
}

/** Only on machines with plenty of memory, which not every browser reveals. @param {number} cores */
function severalWorkers(cores) {
  const { deviceMemory = 0 } = /** @type {{ deviceMemory?: number }} */ (navigator);
  const most = Math.min(cores, deviceMemory / WORKER_MEMORY_GB);
  const settings = [];
  for (let workers = 2; workers <= most; workers *= 2) {
    const threads = Math.floor(cores / workers);
    if (!canUseThreads()) settings.push(processor(workers, 1));
    else if (threads >= FEWEST_THREADS) settings.push(processor(workers, threads));
  }
  return settings;
}
