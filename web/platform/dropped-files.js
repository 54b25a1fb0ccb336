/** Files of a drop or a file input, with those in folders. */

/** @typedef {{ file: File, path: string }} FoundFile `path` begins with the folder that was dropped; that of a single file is its name */

/**
 * Must be called while the event is handled: later, a drop has nothing left.
 * @param {DataTransfer} transfer
 * @returns {Promise<FoundFile[]>}
 */
export async function droppedFiles(transfer) {
  const items = Array.from(transfer.items).filter(({ kind }) => kind === "file");
  const taken = items.map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  const found = await Promise.all(
    taken.map(({ entry, file }) => (entry?.isDirectory ? filesIn(entry) : file ? [single(file)] : [])),
  );
  return found.flat();
}

/** @param {Iterable<File>} files of a file input */
export function chosenFiles(files) {
  return Array.from(files, (file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** True when a file input can choose a folder. */
export function canChooseFolders() {
  return "webkitdirectory" in HTMLInputElement.prototype;
}

/** True for files and folders that no file manager shows. @param {string} name */
export function isHidden(name) {
  return name.startsWith(".") || ["__MACOSX", "Thumbs.db", "desktop.ini"].includes(name);
}

/** @param {File} file @returns {FoundFile} */
function single(file) {
  return { file, path: file.name };
}

/** @param {FileSystemEntry} entry @returns {Promise<FoundFile[]>} nothing hidden, and nothing that cannot be read */
async function filesIn(entry) {
  if (isHidden(entry.name)) return [];
  try {
    if (entry.isFile) return [await fileOf(/** @type {FileSystemFileEntry} */ (entry))];
    const found = [];
    for (const each of await entriesIn(/** @type {FileSystemDirectoryEntry} */ (entry)))
      found.push(...(await filesIn(each)));
    return found;
  } catch {
    return [];
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<FoundFile>} */
function fileOf(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  return new Promise((resolve, reject) => entry.file((file) => resolve({ file, path }), reject));
}

/** @param {FileSystemDirectoryEntry} folder */
async function entriesIn(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return entries;
    entries.push(...some); // at most a hundred at a time
  }
}
