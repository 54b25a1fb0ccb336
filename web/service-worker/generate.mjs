/**
 * Writes the service worker: our part, then workbox's, in one file, so that an update is all or nothing.
 * Usage: node generate.mjs <site.json> <folder of the shell> <sw.js>
 */

import { readFile, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { generateSW } from "workbox-build";

const [plan, folder, script] = argv.slice(2);
const site = await readFile(plan, "utf8");
const shell = new Map(JSON.parse(site).shell.map((file) => [file.url, file]));

/** Workbox's own revisions give way to ours, with hashes that the browser checks before anything is kept. */
function checked(entries) {
  return { manifest: entries.map((entry) => ({ ...entry, ...pick(shell.get(entry.url)) })), warnings: [] };
}

const pick = ({ revision, integrity }) => ({ revision, integrity });

const { count, warnings } = await generateSW({
  swDest: script,
  globDirectory: folder,
  globPatterns: ["**/*"],
  manifestTransforms: [checked],
  maximumFileSizeToCacheInBytes: 1_000_000,
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
if (count !== shell.size) throw new Error(`${shell.size} files were to be kept, ${count} are`);

const ours = await readFile(new URL("ours.js", import.meta.url), "utf8");
const workbox = await readFile(script, "utf8");
await writeFile(script, `((site) => {\n${ours}})(${site});\n${workbox}`);
