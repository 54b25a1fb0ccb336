/** Space in the browser's storage. */

/** @returns {Promise<{ usage: number, quota: number }>} bytes; 0 when the browser does not say */
export async function space() {
  try {
    const { usage = 0, quota = 0 } = await navigator.storage.estimate();
    return { usage, quota };
  } catch {
    return { usage: 0, quota: 0 };
  }
}
