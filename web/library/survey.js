/** What was measured of a song, kept so that it is measured once. Workers only. */

import { PEAKS, RECORDS } from "./layout.js";
import { openFolder, writeFile, writeJson } from "./opfs.js";

/** @typedef {import("../engine/protocol.js").SongAudio} SongAudio */
/** @typedef {import("../engine/protocol.js").Survey} Survey */

/** @param {SongAudio} song @param {Survey} survey */
export async function keepSurvey({ folder }, { peaks, level }) {
  if (folder === null) return;
  const opened = await openFolder(folder);
  await writeFile(opened, PEAKS, peaks);
  await writeJson(opened, RECORDS.survey, { level });
}
