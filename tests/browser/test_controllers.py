"""The controllers survive broken songs in the storage, failed exports, and work that interrupts a measurement."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.kept_songs import keep
from tests.browser.test_song_state import LIBRARY, QUEUE, modules, run
from tests.songs import mixture

__all__ = ["modules"]

#: Ways to break the first of two songs, "songs/broken".
BREAK: Final = {
    "record of no song": "await write('song.json', '{}')",
    "record of another kind": "await write('song.json', '[]')",
    "no samples": "await song.removeEntry('original', { recursive: true })",
    "peaks of a longer song": "await write('peaks', new Float32Array(1 << 20))",
    "preferences that are no JSON": "localStorage.setItem('demixer.song.broken', '{')",
    "preferences that are no record": "localStorage.setItem('demixer.song.broken', '\"\"')",
    "desk of no kind": "localStorage.setItem('demixer.song.broken', '{\"desk\": 7}')",
    "separation of no stems": "await write('job.json', '{}', await song.getDirectoryHandle('htdemucs.standard'))",
}

#: Those after which the song still opens.
SHOWN: Final = [how for how in BREAK if re.match("preferences|desk|separation", how)]

_SCRIPT: Final = """async () => {
  const songs = await (await navigator.storage.getDirectory()).getDirectoryHandle("songs");
  const song = await songs.getDirectoryHandle("broken");
  const write = async (name, content, folder = song) => {
    const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await writable.write(content);
    await writable.close();
  };
  %s;
}"""

#: Ways in which writing a file fails, before a single byte is written.
FAILURES: Final = {
    "the picked file cannot be read": "picked.getFile = async () => { throw new Error('unreadable'); };",
    "there is no scratch space": "StorageManager.prototype.getDirectory = async () => { throw new Error('none'); };",
    "nor can the new file be removed": """
      StorageManager.prototype.getDirectory = async () => { throw new Error('none'); };
      picked.remove = async () => { throw new Error('stays'); };""",
    "the exporter breaks": """
      window.Worker = class extends EventTarget {
        postMessage() {
          setTimeout(() => this.dispatchEvent(new ErrorEvent("error", { message: "broken", cancelable: true })));
        }
        terminate() {}
      };""",
}


@pytest.mark.parametrize("how", BREAK)
def test_a_broken_song_hides_no_other_one(page: Page, base_url: str, how: str) -> None:
    page.goto(base_url)
    song = mixture(1)
    for name in ("Broken", "Whole"):
        keep(page, name, song, {"drums": song, "bass": np.zeros_like(song)})
    page.evaluate(_SCRIPT % BREAK[how])
    page.reload()
    songs = page.get_by_role("list", name="Songs", include_hidden=True)
    expect(songs.get_by_role("listitem", include_hidden=True).filter(has_text="Whole")).to_have_count(1)
    expect(songs.get_by_role("listitem", include_hidden=True).filter(has_text="Broken")).to_have_count(
        int(how in SHOWN)
    )
    kept = """async () => {
      const songs = await (await navigator.storage.getDirectory()).getDirectoryHandle("songs");
      return (await Array.fromAsync(songs.keys())).sort();
    }"""
    assert page.evaluate(kept) == ["broken", "whole"]


@pytest.mark.parametrize("how", FAILURES)
def test_an_export_that_failed_leaves_the_next_one_possible(modules: Page, how: str) -> None:
    script = f"""
    const {{ ExportController }} = await import("/src/app/export-controller.js");
    const picked = {{ name: "Song.wav", getFile: async () => new File([], "Song.wav") }};
    let asked = 0;
    window.showSaveFilePicker = async () => {{ asked += 1; return picked; }};
    {FAILURES[how]}
    store.set({{ songs: [SONGS.done] }});
    const controller = new ExportController(store, songs);
    const seen = [];
    for (let time = 1; time <= 2; time += 1) {{
      await controller.download(SONGS.done, {{ stems: [], parts: [] }}, "Song.wav").catch(() => {{}});
      const {{ writing, error }} = store.state.export;
      seen.push(writing, typeof error?.code);
    }}
    return [asked, ...seen];"""
    assert run(modules, script, library=LIBRARY + QUEUE) == [2, None, "string", None, "string"]


def test_an_export_that_is_cancelled_early_is_never_requested(modules: Page) -> None:
    """The files are still being opened, so the worker has nothing to abort yet."""
    script = """
    const { ExportController } = await import("/src/app/export-controller.js");
    const posted = [];
    globalThis.Worker = class extends EventTarget {
      postMessage({ type }) { posted.push(type); }
      terminate() {}
    };
    const opened = Promise.withResolvers();
    const picked = { name: "Song.wav", getFile: () => opened.promise };
    globalThis.showSaveFilePicker = async () => picked;
    store.set({ songs: [SONGS.done] });
    const controller = new ExportController(store, songs);
    const download = controller.download(SONGS.done, { stems: [], parts: [] }, "Song.wav");
    while (!store.state.export.writing) await new Promise((resolve) => setTimeout(resolve));
    controller.cancel();
    opened.resolve(new File([], "Song.wav"));
    await download;
    const { export: shown } = store.state;
    return [posted, shown.writing, shown.error];"""
    assert run(modules, script, library=LIBRARY + QUEUE) == [[], None, None]


@pytest.mark.parametrize(
    "work",
    [
        "store.set({ export: { writing: { name: 'Song.wav', fraction: 0 }, measured: null } })",
        "store.set({ export: { writing: null, measured: 0.5 } })",
        "store.set({ check: { phase: 'working' } })",
        "store.set({ analysing: true })",
        "songs.add([SONGS.decoding])",
        "songs.add([waiting('song')])",
        "songs.add([SONGS.working])",
    ],
)
def test_work_ends_a_measurement_of_devices(modules: Page, work: str) -> None:
    """Beside other work the wrong device wins, and would be remembered."""
    script = f"""
    const {{ DeviceController }} = await import("/src/app/device-controller.js");
    const {{ isIdle }} = await import("/src/app/state.js");
    const workers = [];
    window.Worker = class extends EventTarget {{
      constructor() {{ super(); workers.push(this); }}
      postMessage() {{}}
      terminate() {{ this.isOver = true; }}
    }};
    let kept = 0;
    const devices = {{ isBenchmarked: () => false, keepBenchmark: () => (kept += 1), memory: {{}}, gpus: [] }};
    engine.prefer = () => {{}};
    new DeviceController(engine, store, devices, () => {{}});
    store.set({{ engine: {{ ...store.state.engine, phase: "ready", info: {{ runtime: "" }} }} }});
    const idle = isIdle(store.state);
    while (workers.length === 0) await new Promise(requestAnimationFrame);
    {work};
    while (!workers.every(({{ isOver }}) => isOver)) await new Promise(requestAnimationFrame);
    return [idle, isIdle(store.state), workers.length, kept];"""
    assert run(modules, script, library=LIBRARY + QUEUE) == [True, False, 1, 0]


def test_a_failed_check_of_the_storage_leaves_the_next_one_possible(modules: Page) -> None:
    script = """
    const { OfflineController } = await import("/src/app/offline-controller.js");
    const answers = [() => Promise.reject(new Error("gone")), async () => ({ missing: [], shell: 7, runtime: 0 })];
    const worker = Object.assign(new EventTarget(), { kept: () => answers.shift()() });
    const offline = new OfflineController(store, worker, engine);
    const seen = [];
    for (const _ of [...answers]) {
      offline.settle();
      await offline.settled.catch(() => {});
      seen.push([store.state.problem?.message, store.state.storage.shell]);
    }
    return seen;"""
    assert run(modules, script, library=LIBRARY + QUEUE) == [["gone", 0], ["gone", 7]]


def test_models_that_a_user_brought_are_kept_when_the_site_changes(modules: Page) -> None:
    script = """
    const { forgetOthers, isKept, keep } = await import("/src/library/model-store.js");
    const artifacts = Object.fromEntries(["current", "old", "brought"].map((sha256) => [sha256, { sha256, bytes: 4 }]));
    for (const [name, artifact] of Object.entries(artifacts))
      await keep(new Uint8Array(4), artifact, name === "brought" ? "user" : "site");
    await forgetOthers([artifacts.current]);
    return await Promise.all(Object.values(artifacts).map(isKept));"""
    seen: Any = run(modules, script, library="")
    assert seen == [True, False, True]


def test_the_bar_starts_at_nothing_when_only_the_separation_is_to_come(modules: Page) -> None:
    script = """
    const { engine: running, storage } = store.state;
    store.set({ engine: { ...running, phase: "ready" }, storage: { ...storage, models: ["test"] } });
    songs.add([waiting("song")]);
    const shown = [];
    engine.answer = async ({ job }) => {
      const show = () => shown.push(songs.find("song").progress.view(performance.now() / 1000).fraction);
      show();
      engine.tell("job.progress", { job, stage: "separate", done: 1, total: 6 });
      show();
      return report;
    };
    await queue.work();
    return shown;"""
    before, after = run(modules, script, library=LIBRARY + QUEUE)
    assert before == 0
    assert after == pytest.approx(1 / 6, abs=0.01)
