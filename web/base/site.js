/** Addresses of the site's files. */

/** Sources lie one folder deep, in `base/`, and so do bundles, in `assets/`. */
const SITE = new URL("../", import.meta.url);

/** @param {string} path relative to the site */
export const siteUrl = (path) => new URL(path, SITE);
