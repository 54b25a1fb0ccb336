/**
 * The requests that leave this page or worker for the network.
 */

/**
 * @param {(urls: string[]) => void} tell
 */
export function watchRequests(tell) {
  const watcher = new PerformanceObserver((list) => {
    const entries = /** @type {PerformanceResourceTiming[]} */ (list.getEntries());
    const urls = entries.filter(leaves).map(({ name }) => name);
    if (urls.length > 0) tell(urls);
  });
  watcher.observe({ type: "resource", buffered: true });
}

/** @param {PerformanceResourceTiming} entry */
function leaves({ name, serverTiming, workerStart, transferSize, decodedBodySize }) {
  const byServiceWorker = serverTiming.some((timing) => timing.name === "kept");
  const byBrowser = workerStart === 0 && transferSize === 0 && decodedBodySize > 0;
  return name.startsWith("http") && !byServiceWorker && !byBrowser;
}
