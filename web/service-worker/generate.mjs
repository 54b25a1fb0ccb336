/**
 * Writes the service worker: our part, then workbox's, in one file, so that an update is all or nothing.
 * Usage: node generate.mjs <site.json> <sw.js>
 */

import { readFile, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { generateSW } from "workbox-build";

const [plan, script] = argv.slice(2);
const site = await readFile(plan, "utf8");
const { shell } = JSON.parse(site);

const { warnings } = await generateSW({
  swDest: script,
  additionalManifestEntries: shell.map(({ url, revision, integrity }) => ({ url, revision, integrity })),
  cacheId: "demixer",
  inlineWorkboxRuntime: true,
  sourcemap: false,
  mode: "production",
  babelPresetEnvTargets: ["chrome >= 111"],
  skipWaiting: false, // the page asks when the person does
  clientsClaim: true,
  cleanupOutdatedCaches: true,
  ignoreURLParametersMatching: [/./],
  runtimeCaching: [
    {
      urlPattern: ({ url }) => self.runtime.has(url.href),
      handler: "CacheFirst",
      options: {
        cacheName: "demixer-runtime",
        matchOptions: { ignoreVary: true },
        plugins: [
          {
            cacheKeyWillBeUsed: async ({ request }) => self.runtime.keyOf(request.url),
            requestWillFetch: async ({ request }) => self.runtime.checked(request),
          },
        ],
      },
    },
  ],
});
if (warnings.length > 0) throw new Error(warnings.join("; "));

const ours = await readFile(new URL("ours.js", import.meta.url), "utf8");
const workbox = await readFile(script, "utf8");
await writeFile(script, `((site) => {\n${ours}})(${site});\n${workbox}`);
