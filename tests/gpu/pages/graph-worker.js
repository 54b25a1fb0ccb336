/** One graph on WebGPU, opened and run as `engine/compute/runtime.js` does. */

const RUNTIMES = "/vendor/onnxruntime-web/";

let session;
let feeds;

/** Lines of the runtime's profile, which it prints. @type {string[]} */
const profile = [];

onmessage = async ({ data }) => {
  try {
    postMessage({ value: await (data.url ? open(data) : data.profile ? kernels() : run(data)) });
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};

/** @returns {Promise<number>} seconds from bytes to a session */
async function open({ url, inputs, build = "webgpu", provider = {}, profiled = false, strict = false }) {
  if (profiled) console.log = (line) => profile.push(String(line));
  const ort = await import(`${RUNTIMES}ort.${build}.min.mjs`);
  ort.env.logLevel = "error";
  ort.env.wasm.wasmPaths = new URL(RUNTIMES, location.href).href;
  const model = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const begin = performance.now();
  session = await ort.InferenceSession.create(model, {
    executionProviders: [{ name: "webgpu", ...provider }],
    logSeverityLevel: 3,
    enableMemPattern: false,
    enableProfiling: profiled,
    ...(strict ? { extra: { session: { disable_cpu_ep_fallback: "1" } } } : {}),
  });
  const seconds = (performance.now() - begin) / 1000;
  feeds = {};
  for (const { name, dims, url: source } of inputs) {
    feeds[name] = new ort.Tensor("float32", new Float32Array(await (await fetch(source)).arrayBuffer()), dims);
  }
  return seconds;
}

/** Runs some times, and sends the last outputs to the server where asked to. @returns {Promise<number[]>} seconds of each */
async function run({ run: times, send }) {
  const seconds = [];
  let outputs = {};
  for (let count = 0; count < times; count++) {
    const begin = performance.now();
    outputs = await session.run(feeds);
    seconds.push((performance.now() - begin) / 1000);
  }
  if (send) {
    for (const [name, { data }] of Object.entries(outputs)) {
      await fetch(`/sent/${send}-${name}.f32`, { method: "PUT", body: data });
    }
  }
  return seconds;
}

/** Ends the profile. @returns {Promise<object[]>} names and microseconds of all programs that the GPU has run */
async function kernels() {
  session.endProfiling();
  const events = profile.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line.replace(/,$/, "")));
  return events.filter(({ cat }) => cat === "Api").map(({ name, dur }) => ({ name, microseconds: dur }));
}
