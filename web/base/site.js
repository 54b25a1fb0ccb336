/** The address of the site, from which everything that is fetched by its path is found. */

/** Sources lie one folder deep, in `base/`, and so do bundles, in `assets/`. */
export const SITE = new URL("../", import.meta.url);

/** @param {string} path relative to the site */
export const siteUrl = (path) => new URL(path, SITE);
