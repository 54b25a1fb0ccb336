/**
 * The GPU that WebGPU offers, if it is one.
 */

/** Renderers that emulate a GPU on the CPU: right results, a hundred times slower than WASM. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software/i;

/**
 * @param {boolean} [allowSoftware]
 * @returns {Promise<{ name: string, half: boolean } | null>} with `half`, it can compute in float16; null where there
 *   is none for real work
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
