/**
 * A Stems file, as DJ software reads it: an MP4 whose first track is the mix and whose others are its four stems, with
 * their names and colours in a box of their own.
 */

import { Mp4OutputFormat, Output, StreamTarget } from "../../vendor/mediabunny/mediabunny.mjs";
import { AudioPackets } from "./audio-packets.js";
import { openCoder } from "./encoders.js";
import { stemBox, withBoxAtEnd } from "./stem-box.js";
import { BLOCK, partAudio, tagsOf } from "./track-file.js";

/** @typedef {import("../protocol.js").Plan} Plan */
/** @typedef {import("./track-file.js").Job} Job */
/** @typedef {import("./sinks.js").Sink} Sink */

/** @param {Job} job @param {Sink} sink */
export async function writeStems({ plan, length, renderings, progress }, sink) {
  /** @type {import("./stem-box.js").Moov} */
  const moov = { data: new Uint8Array(), start: 0 };
  const format = new Mp4OutputFormat({
    fastStart: false, // the tables at the end, so that nothing waits in memory
    onMoov: (data, start) => Object.assign(moov, { data, start }),
  });
  const writable = withBoxAtEnd(sink.writable, moov, stemBox(plan.labels));
  const output = new Output({ format, target: new StreamTarget(writable, { chunked: true }) });
  const tracks = await Promise.all(plan.parts.map((_, part) => openTrack(plan, part, renderings[part])));
  for (const [index, { packets, name }] of tracks.entries()) {
    output.addAudioTrack(packets.source, { name, disposition: { default: index === 0 } });
  }
  output.setMetadataTags({ ...tagsOf(plan, 0), title: plan.tags.title ?? plan.folder });
  await output.start();
  for (let start = 0; start < length; start += BLOCK) {
    const stop = Math.min(start + BLOCK, length);
    for (const { packets, rendering } of tracks) {
      await packets.add(await rendering.read(start, stop), stop - start);
    }
    progress(stop / length);
  }
  for (const { packets, rendering } of tracks) {
    rendering.close();
    await packets.finish();
  }
  await output.finalize();
}

/** @param {Plan} plan @param {number} part @param {Job["renderings"][number]} render */
async function openTrack(plan, part, render) {
  const { rate, length } = plan.stems[0];
  const coder = await openCoder(plan.coding, partAudio(plan, part));
  const name = plan.parts[part].title;
  return { packets: new AudioPackets(coder, rate, length), rendering: render(coder.layout), name };
}
