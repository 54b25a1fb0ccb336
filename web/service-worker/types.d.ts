/** What `generate.mjs` and the browser put around `ours.js`. */

interface SiteFile {
  /** Relative to the site. */
  url: string;
  revision: string;
  integrity: string;
  bytes: number;
  /** The only device that needs it; "" for all of them. */
  device?: string;
}

declare const site: { shell: SiteFile[]; runtime: SiteFile[]; headers: [string, Record<string, string>][] };
declare const registration: ServiceWorkerRegistration;
