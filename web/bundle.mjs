/**
 * Bundles the page: its scripts and styles as few files with hashed names, and `index.html` that names them.
 * Usage: node bundle.mjs <folder of the sources> <output>
 *
 * Workers and the worklet are entry points that a script starts by `new URL("<path>.js", import.meta.url)`. Each is
 * built when the script that starts it is loaded, and its hashed name takes the place of the path: so a change of a
 * worker changes the names of all that lead to it.
 */

import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { argv } from "node:process";
import { build } from "esbuild";

const [sources, output] = argv.slice(2).map((path) => resolve(path));
const ENTRY = /new URL\("(\.[^"]+\.js)", import\.meta\.url\)/g;
/** Runtimes that load further files by their paths. */
const EXTERNAL = /\/vendor\/((?:pyodide|onnxruntime-web)\/.+)$/;
const STYLE = / *<link rel="stylesheet" href="([^"]+)" \/>\n/g;

/** @type {Map<string, Promise<string>>} source -> name of its bundle */
const bundles = new Map();

const threads = {
  name: "threads",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: EXTERNAL }, ({ path }) => ({
      path: `../vendor/${EXTERNAL.exec(path)[1]}`,
      external: true,
    }));
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      let contents = await readFile(path, "utf8");
      for (const [start, entry] of contents.matchAll(ENTRY)) {
        const name = await bundled(resolve(dirname(path), entry));
        contents = contents.replace(start, `new URL("./${name}", import.meta.url)`);
      }
      return { contents };
    });
  },
};

const SHARED = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  sourcemap: true,
  legalComments: "linked",
  metafile: true,
  charset: "utf8",
  absWorkingDir: sources, // names and source maps are the same in every checkout
  preserveSymlinks: true,
  outdir: join(output, "assets"),
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  logLevel: "warning",
};

/** Builds each thread's script once. */
function bundled(path) {
  if (!bundles.has(path))
    bundles.set(
      path,
      script(path).then(({ main }) => basename(main)),
    );
  return bundles.get(path);
}

/** `engine/worker/main.js` becomes `assets/engine-worker-<hash>.js`. */
async function script(path) {
  const name = relative(sources, path)
    .replace(/(\/main)?\.js$/, "")
    .replaceAll("/", "-");
  const entryPoints = [{ in: path, out: name }];
  const { metafile } = await build({ ...SHARED, entryPoints, splitting: true, plugins: [threads] });
  const [main] = Object.entries(metafile.outputs).find(
    ([, { entryPoint }]) => entryPoint && resolve(sources, entryPoint) === path,
  );
  return { main, needed: imports(metafile.outputs, main) };
}

/** The chunks that a script cannot start without. */
function imports(outputs, path, found = new Set()) {
  for (const { path: chunk, kind, external } of outputs[path].imports) {
    if (external || kind !== "import-statement" || found.has(chunk)) continue;
    found.add(chunk);
    imports(outputs, chunk, found);
  }
  return [...found];
}

/** One bundle of the style sheets, in their order. */
async function style(paths) {
  const contents = paths.map((path) => `@import "./${path}";`).join("\n");
  const stdin = { contents, resolveDir: sources, sourcefile: "styles.css", loader: "css" };
  const { metafile } = await build({ ...SHARED, stdin, entryNames: "style-[hash]" });
  return Object.keys(metafile.outputs).find((path) => path.endsWith(".css"));
}

const url = (path) => `assets/${basename(path)}`;

const page = await readFile(join(sources, "index.html"), "utf8");
const [{ main, needed }, css] = await Promise.all([
  script(join(sources, "main.js")),
  style(Array.from(page.matchAll(STYLE), ([, path]) => path)),
]);
const head = [
  `<link rel="stylesheet" href="${url(css)}" />`,
  ...needed.map((path) => `<link rel="modulepreload" href="${url(path)}" />`),
  `<script type="module" src="${url(main)}"></script>`,
];
const written = page
  .replaceAll(STYLE, "")
  .replace('<script type="module" src="main.js"></script>', head.join("\n    "));
await writeFile(join(output, "index.html"), written);
