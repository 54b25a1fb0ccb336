/** Functions and memory of the encoders' WebAssembly modules. */

/**
 * @typedef {object} WasmModule as Emscripten makes it
 * @property {(name: string, result: string | null, given: string[]) => (...given: any[]) => any} cwrap
 * @property {(bytes: number) => number} _malloc
 * @property {Uint8Array} HEAPU8
 */

/** Copies bytes out of a module's memory, which may move. @param {WasmModule} wasm @param {number} start @param {number} length */
export function copyBytes(wasm, start, length) {
  return wasm.HEAPU8.slice(start, start + length);
}

/** Functions of a module whose arguments and results are numbers. @param {WasmModule} wasm @param {Record<string, number>} names with the number of arguments of each */
export function functions(wasm, names) {
  return Object.fromEntries(
    Object.entries(names).map(([name, count]) => [
      name,
      wasm.cwrap(name, "number", Array(count).fill("number")),
    ]),
  );
}
