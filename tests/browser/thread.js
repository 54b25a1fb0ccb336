/** Runs functions of tests in a worker. This file is both the page's and the worker's side. */

/** Runs a function, given as source text, in a new worker. */
export async function inWorker(source, argument) {
  const worker = new Worker(import.meta.url, { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }) => ("error" in data ? reject(new Error(data.error)) : resolve(data.value));
      worker.postMessage([source, argument]);
    });
  } finally {
    worker.terminate();
  }
}

if (typeof document === "undefined") {
  self.onmessage = async ({ data: [source, argument] }) => {
    try {
      self.postMessage({ value: await new Function(`return (${source})`)()(argument) });
    } catch (error) {
      self.postMessage({ error: error.stack });
    }
  };
}
