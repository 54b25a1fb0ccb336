/** Where the site lies. Everything that is fetched by its path is found from here, in the sources as in the bundles. */

/** Sources lie one folder deep, `base/`, and so do bundles, `assets/`. */
export const SITE = new URL("../", import.meta.url);

/** @param {string} path relative to the site */
export const siteUrl = (path) => new URL(path, SITE);
