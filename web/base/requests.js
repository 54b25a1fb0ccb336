/**
 * The network requests of a thread and of the workers below it.
 */

/** @typedef {(urls: string[]) => void} Report */

/** @type {Set<Report>} */
const reports = new Set();

/**
 * Reports every request that leaves this page or worker for the network, and those that its workers have relayed.
 * @param {Report} report
 */
export function watchRequests(report) {
  reports.add(report);
  const observer = new PerformanceObserver((list) => {
    const entries = /** @type {PerformanceResourceTiming[]} */ (list.getEntries());
    const urls = entries.filter(reachesNetwork).map(({ name }) => name);
    if (urls.length > 0) report(urls);
  });
  observer.observe({ type: "resource", buffered: true });
}

/** Passes on the requests that a worker of this thread has made. @param {string[]} urls */
export function relayRequests(urls) {
  for (const report of reports) report(urls);
}

/** False for what the service worker or the browser's own cache has answered. @param {PerformanceResourceTiming} entry */
function reachesNetwork({ name, serverTiming = [], workerStart, transferSize, decodedBodySize }) {
  const byServiceWorker = serverTiming.some((timing) => timing.name === "kept");
  const byBrowser = workerStart === 0 && transferSize === 0 && decodedBodySize > 0;
  return name.startsWith("http") && !byServiceWorker && !byBrowser;
}
