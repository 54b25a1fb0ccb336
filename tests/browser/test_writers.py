"""Writers to the storage lose nothing in short writes, and leave nothing open after a failure."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.sync_api import Page

from tests.browser.threads import InWorker, worker_of


@pytest.fixture
def in_worker(page: Page) -> InWorker:
    return worker_of(page)


#: Every writer of the storage, with handles that take few bytes at a time.
SHORT_WRITES: Final = """async (most) => {
  const { fileOf, openFolder, writeFile } = await import("/src/library/opfs.js");
  const { SongWriter } = await import("/src/library/song-writer.js");
  const { JobOutput } = await import("/src/library/job-output.js");
  const { openTemporary } = await import("/src/export/worker/sinks.js");
  const { write } = FileSystemSyncAccessHandle.prototype;
  FileSystemSyncAccessHandle.prototype.write = function (bytes, options) {
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return most === 0 ? 0 : write.call(this, view.subarray(0, most), options);
  };
  const root = await openFolder("test", { create: true });
  const samples = Float32Array.from({ length: 20_000 }, (_, index) => index);
  const whole = async (blob) => {
    const found = new Float32Array(await blob.arrayBuffer());
    return found.length === samples.length && found.every((sample, index) => sample === samples[index]);
  };
  const outcome = async (work) => {
    try {
      return await whole(await work());
    } catch ({ code }) {
      return code;
    }
  };
  const file = () => writeFile(root, "file", samples).then(fileOf);
  const song = async () => {
    const writer = await SongWriter.open("test/song");
    await writer.write({ rate: 44_100, channels: [samples] });
    return (await writer.finish("Song", {})).pieces[0].blob;
  };
  const job = async () => {
    let written;
    const request = {
      folder: "test/song/job", song: { channels: 1 }, model: { id: "model", stems: ["stem"] },
      preset: "standard", hop: 64,
    };
    const output = await JobOutput.open(request, (start, length, stems) => (written = stems[0].pieces[0].blob));
    await output.write(0, samples.length, [{ name: "stem", samples: samples.slice(), peaks: new Float32Array(2) }]);
    await output.finish({});
    return written;
  };
  const sink = async () => {
    const file = await openTemporary("test", "sink");
    try {
      const stream = file.writable.getWriter();
      await stream.write({ type: "write", position: 0, data: new Uint8Array(samples.buffer) });
      await stream.close();
      return await file.read();
    } finally {
      await file.close();
    }
  };
  return { file: await outcome(file), song: await outcome(song), job: await outcome(job), sink: await outcome(sink) };
}"""


def test_a_short_write_goes_on(in_worker: InWorker) -> None:
    assert in_worker(SHORT_WRITES, 777) == dict.fromkeys(["file", "song", "job", "sink"], True)


def test_a_storage_that_takes_nothing_is_full(in_worker: InWorker) -> None:
    assert in_worker(SHORT_WRITES, 0) == dict.fromkeys(["file", "song", "job", "sink"], "storage/quota")


#: Writes a plan that fails at one step, looks for what stays open, and writes it again.
FAILING_EXPORT: Final = """async ({ form, target, fault }) => {
  const { writePlan } = await import("/src/export/worker/write-plan.js");
  // They hold the handles until they have answered.
  const { accessTo, fileIn, fileOf, namesIn, openFolder, remove } = await import("/src/library/opfs.js");
  const root = await navigator.storage.getDirectory();
  const length = 200_000;
  const opened = new Set();
  let reads = 0, writes = 0;
  let failing = fault;
  const signalled = new AbortController();
  const fail = (name = "Error") => { throw new DOMException("As the test wants it.", name) };
  const render = () => {
    if (failing === "render") fail();
    const rendering = {
      read: async (start, stop) => {
        reads += 1;
        if (failing === "read" && reads === 3) fail();
        return new Uint8Array(8 * (stop - start));
      },
      digest: () => new Uint8Array(16),
      close: () => opened.delete(rendering),
    };
    opened.add(rendering);
    return rendering;
  };
  const report = () => failing === "abort" && signalled.abort(new DOMException("", "AbortError"));
  for (const [prototype, method] of [
    [FileSystemSyncAccessHandle.prototype, "write"], [FileSystemWritableFileStream.prototype, "write"],
  ]) {
    const original = prototype[method];
    prototype[method] = function (...given) {
      writes += 1;
      if (failing === "first write" || (failing === "later write" && writes > 1)) fail("QuotaExceededError");
      return original.apply(this, given);
    };
  }
  const { close } = FileSystemWritableFileStream.prototype;
  FileSystemWritableFileStream.prototype.close = function () {
    if (failing !== "close") return close.call(this);
    return this.abort().then(() => fail("QuotaExceededError"));
  };
  const count = { file: 1, archive: 2, stems: 5 }[form];
  const plan = (coding) => ({
    form, folder: "Song", tags: {},
    stems: [{ rate: 44_100, channels: 2, length, folder: null, pieces: [] }],
    parts: Array.from({ length: count }, (_, part) => ({ name: `${part}.wav`, title: "", gains: [[1, 1]], gain: 1 })),
    coding,
    labels: Array.from({ length: 4 }, () => ({ name: "Stem", color: "#000000" })),
  });
  await openFolder("scratch", { create: true });
  const picked = target === "picked" ? await fileIn(root, "picked", { create: true }) : null;
  const before = picked && (await fileOf(picked)).size;
  const destination = { picked, scratch: target === "memory" ? null : "scratch" };
  const coding = form === "stems" ? { kind: "aac", bitrate: 128_000 } : { kind: "wav", bits: 32 };
  const write = (signal) =>
    writePlan(plan(failing === "encoder" ? { kind: "none" } : coding), destination, { signal, report, render });
  const failed = await write(signalled.signal).then(() => "nothing", (error) => error.code ?? error.name);
  const open = opened.size;
  const changed = picked !== null && (await fileOf(picked)).size !== before;
  if (picked) (await accessTo(picked)).close(); // refused while something else has it
  const scratch = await openFolder("scratch");
  const left = await namesIn(scratch);
  for (const name of left) (await accessTo(await fileIn(scratch, name))).close();
  await remove(root, "scratch");
  failing = null;
  const blob = await write(new AbortController().signal);
  return { failed, open, changed, left, again: (blob ?? (await fileOf(picked))).size, stillOpen: opened.size };
}"""

FAULTS: Final = {"encoder", "render", "read", "abort", "first write", "later write", "close"}


@pytest.mark.parametrize("form", ["file", "archive", "stems"])
@pytest.mark.parametrize("target", ["picked", "scratch", "memory"])
def test_an_export_that_fails_leaves_nothing_open_and_can_be_repeated(
    in_worker: InWorker, form: str, target: str
) -> None:
    skipped: set[str] = {"picked": set(), "scratch": {"close"}, "memory": {"close", "first write", "later write"}}[
        target
    ]
    for fault in sorted(FAULTS - skipped):
        seen: dict[str, Any] = in_worker(FAILING_EXPORT, {"form": form, "target": target, "fault": fault})
        assert seen["failed"] != "nothing", fault
        assert (seen["open"], seen["stillOpen"]) == (0, 0), fault
        assert not seen["changed"], fault
        assert set(seen["left"]) <= {"export"}, fault
        assert seen["again"] > 0, fault
