/** Leaves out damaged parts at which the demuxer would give up. */

import { bytesAt, textAt } from "./file-bytes.js";

/** An Ogg page has a header, then the lengths of up to 255 segments of up to 255 bytes. */
const PAGE_HEADER_BYTES = 27;
const MAX_PAGE_BYTES = PAGE_HEADER_BYTES + 255 + 255 * 255;

/** "OggS" */
const OGG_PAGE = 0x4f676753;

const ID3_HEADER_BYTES = 10;

/**
 * @param {Blob} file
 * @returns {Promise<Blob>} the file, or its readable part
 */
export async function repair(file) {
  const head = await bytesAt(file, 0, ID3_HEADER_BYTES);
  if (textAt(head, 0, 4) === "OggS") return wholePages(file);
  if (head.byteLength === ID3_HEADER_BYTES && textAt(head, 0, 3) === "ID3" && id3Bytes(head) > file.size)
    return file.slice(ID3_HEADER_BYTES);
  return file;
}

/** Length of an ID3 tag, written in seven bits of each of four bytes. @param {DataView} header @returns {number} */
export function id3Bytes(header) {
  return (
    [6, 7, 8, 9].reduce((total, at) => total * 0x80 + (header.getUint8(at) & 0x7f), 0) + ID3_HEADER_BYTES
  );
}

/** An Ogg file without the last page, if a download broke off in it. @param {Blob} file */
async function wholePages(file) {
  const from = Math.max(0, file.size - MAX_PAGE_BYTES);
  const view = await bytesAt(file, from, MAX_PAGE_BYTES);
  let page = view.byteLength - 4;
  while (page >= 0 && view.getUint32(page) !== OGG_PAGE) page -= 1;
  if (page < 0) return file;
  const end = page + pageBytes(view, page);
  return file.slice(0, from + (end > view.byteLength ? page : end));
}

/**
 * @param {DataView} view
 * @param {number} page
 * @returns {number} infinite when the header itself is truncated
 */
function pageBytes(view, page) {
  const table = page + PAGE_HEADER_BYTES;
  const segments = table > view.byteLength ? 255 : view.getUint8(table - 1);
  if (table + segments > view.byteLength) return Number.POSITIVE_INFINITY;
  let bytes = PAGE_HEADER_BYTES + segments;
  for (let segment = 0; segment < segments; segment += 1) bytes += view.getUint8(table + segment);
  return bytes;
}
