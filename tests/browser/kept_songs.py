"""Stores a separated song in the browser as an earlier visit would have, without running a model."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from playwright.sync_api import Page

from demixer.audio import Samples
from demixer.stems import peaks

#: Pairs of peaks that a song may have at most: `hopFor` of `web/library/measurement.js`.
PEAKS: Final = 1 << 16

#: Samples of a piece: several to a song, and no multiple of a read.
PIECE: Final = 50_000

#: Locked, since a page that is just opening its songs would remove one without a record.
_WRITE: Final = """async ([path, files, again]) => {
  const write = async () => {
    let folder = await navigator.storage.getDirectory();
    for (const name of path.split("/")) folder = await folder.getDirectoryHandle(name, { create: true });
    const copies = Object.entries(again).map(([copy, path]) => [copy, files[path]]);
    for (const [path, content] of [...Object.entries(files), ...copies]) {
      const names = path.split("/");
      let inner = folder;
      for (const name of names.slice(0, -1)) inner = await inner.getDirectoryHandle(name, { create: true });
      const handle = await inner.getFileHandle(names.at(-1), { create: true });
      const writable = await handle.createWritable();
      await writable.write(Uint8Array.fromBase64(content));
      await writable.close();
    }
  };
  await navigator.locks.request(`demixer-song-${path.split("/").at(-1)}`, { ifAvailable: true }, write);
}"""


def keep(
    page: Page,
    name: str,
    song: Samples,
    stems: Mapping[str, Samples],
    *,
    model: str = "htdemucs",
    rate: int = 44_100,
    tags: Mapping[str, Any] | None = None,
    repeats: int = 1,
) -> None:
    """Store a song [shape=(channels, n)] and its stems at a page's origin; a reload shows it.

    Repeats make a long song of little data to send.
    """
    channels, period = song.shape
    length = repeats * period
    hop = 2 ** max(6, math.ceil(math.log2(length / PEAKS)))
    facts = {"rate": rate, "channels": channels, "length": length}
    facts |= {"name": name, "added": 1, "tags": tags or {}, "normalisation": {"offset": 0, "scale": 1}}
    job = {"model": model, "preset": "standard", "stems": list(stems), "channels": channels, "hop": hop}
    files = {
        "song.json": _json(facts),
        "peaks": _peaks(np.tile(song, repeats), hop),
        **_pieces("original", song),
        f"{model}.standard/job.json": _json(job),
        f"{model}.standard/done.json": _json({}),
    }
    for stem, samples in stems.items():
        files |= {f"{model}.standard/{stem}.peaks": _peaks(np.tile(samples, repeats), hop)}
        files |= _pieces(f"{model}.standard/{stem}", samples)
    texts = {path: base64.b64encode(content).decode() for path, content in files.items()}
    again = {
        f"{folder}/{int(start) + repeat * period:012}": path
        for path in files
        for folder, _, start in [path.rpartition("/")]
        if start.isdecimal()
        for repeat in range(1, repeats)
    }
    page.evaluate(_WRITE, [f"songs/{name.lower().replace(' ', '-')}", texts, again])


def _pieces(folder: str, samples: Samples) -> dict[str, bytes]:
    length = samples.shape[1]
    return {
        f"{folder}/{start:012}": samples[:, start : start + PIECE].T.astype("<f4").tobytes()
        for start in range(0, length, PIECE)
    }


def _peaks(samples: Samples, hop: int) -> bytes:
    return np.ascontiguousarray(peaks(samples, hop), "<f4").tobytes()


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
