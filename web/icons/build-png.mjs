/**
 * Draws the icon as PNG files. Usage: node build-png.mjs <app.svg> <folder>
 */

import { readFile, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { initWasm, Resvg } from "@resvg/resvg-wasm";

const [source, folder] = argv.slice(2);
const svg = await readFile(source, "utf8");

// Systems cut a maskable icon to a shape of theirs: it fills its square, and what matters keeps to the middle 80 %.
const maskable = svg.replace('viewBox="0 0 32 32"', 'viewBox="-3.2 -3.2 38.4 38.4"');
await initWasm(await readFile(new URL(import.meta.resolve("@resvg/resvg-wasm/index_bg.wasm"))));
await draw(svg, 192, "app-192.png");
await draw(svg, 512, "app-512.png");
await draw(maskable, 512, "maskable-512.png", "#2b2d33");

async function draw(picture, width, name, background) {
  const drawn = new Resvg(picture, { fitTo: { mode: "width", value: width }, background }).render();
  await writeFile(`${folder}/${name}`, drawn.asPng());
}
