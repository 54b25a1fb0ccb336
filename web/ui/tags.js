/** What a file says of its song, as one line. */

import { t } from "./i18n.js";

/** @param {import("../app/song.js").Song} song @returns {string} nothing where the file says nothing */
export function tagsText({ tags: { title, artist } }) {
  if (title && artist) return t("song.tags", { title, artist });
  return title ?? artist ?? "";
}
