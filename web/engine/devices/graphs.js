/**
 * The small graphs of `models/testing`, with which a device is judged and measured.
 */

import { siteUrl } from "../../base/site.js";

const FOLDER = siteUrl("models/testing/");

/** @param {string} name @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function graph(name) {
  return new Uint8Array(await (await fetched(`${name}.onnx`)).arrayBuffer());
}

/** What the question gives on a device that computes rightly. @returns {Promise<number[]>} */
export async function answer() {
  return (await fetched("answer.json")).json();
}

/**
 * An input for a graph.
 * @param {string} name
 * @param {number[]} dims
 */
export function waves(name, dims) {
  const length = dims.reduce((product, size) => product * size, 1);
  return { name, dims, data: Float32Array.from({ length }, (_, index) => Math.sin(index)) };
}

/** @param {string} file */
async function fetched(file) {
  const response = await fetch(new URL(file, FOLDER));
  if (!response.ok) throw new Error(`The server has no models/testing/${file}.`);
  return response;
}
