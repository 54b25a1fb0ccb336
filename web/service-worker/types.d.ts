/** Globals of `main.js` that the build and the browser provide. */

interface SiteFile {
  /** Relative to the site. */
  url: string;
  revision: string;
  integrity: string;
  bytes: number;
  part: "shell" | "runtime" | "extra";
  /** The only device that needs it; "" for all of them. */
  device: string;
}

declare const site: { files: SiteFile[]; headers: [string, Record<string, string>][] };
declare const registration: ServiceWorkerRegistration;

/** Chromium's static routing, when a service worker is installed. */
interface ExtendableEvent {
  addRoutes?(rule: { condition: { requestMode: RequestMode }; source: "fetch-event" }): Promise<void>;
}
