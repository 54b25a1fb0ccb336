"""The state of a song: its transitions, and the queues that cause them."""

from __future__ import annotations

from itertools import product
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from tests.songs import mixture

#: Every transition: statuses that an intent is legal in, and the status that follows.
TABLE: Final = {
    "decoding": {"decoding": "decoding"},
    "decoded": {"decoding": "ready"},
    "retried": {"undecodable": "decoding"},
    "planned": {
        "decoding": "decoding",
        "ready": "waiting",
        "unfinished": "waiting",
        "waiting": "waiting",
        "done": "waiting",
        "failed": "waiting",
    },
    "unplanned": {"decoding": "decoding", "waiting": "ready"},
    "started": {"waiting": "working"},
    "progressed": {"working": "working"},
    "extended": {"working": "working"},
    "finished": {"working": "done"},
    "stopped": {"working": "ready"},
    "failed": {"decoding": "failed", "waiting": "failed", "working": "failed"},
    "discarded": {"unfinished": "ready"},
    "nullTested": {},
    "deskChanged": {},
}
STATUSES: Final = {
    "decoding": "decoding",
    "ready": "ready",
    "unfinished": "ready",
    "waiting": "waiting",
    "working": "working",
    "done": "done",
    "failed": "failed",
    "undecodable": "failed",
}
ANYWHERE: Final = {"nullTested", "deskChanged"}

#: Songs and intents; `song` is a new one.
LIBRARY: Final = """
const { allows, newSong, transition } = await import("/src/app/song.js");
const { JobProgress } = await import("/src/app/progress.js");
const model = { id: "test", stems: ["left", "right"], presets: { standard: { overlap: 0 } }, artifacts: {} };
const plan = { model, preset: "standard", region: null };
const preview = { ...plan, region: { start: 0, stop: 0.5 } };
const piece = (start, length) => ({ start, length, blob: new Blob([new Float32Array(length)]) });
const decoded = { folder: "songs/song", rate: 1000, channels: 1, length: 1000, tags: {},
  normalisation: { offset: 0, scale: 1 }, peaks: new Float32Array(), pieces: [piece(0, 1000)] };
const chunk = model.stems.map((name) => ({ name, pieces: [piece(0, 500)], peaks: new Float32Array() }));
const error = { code: "engine/crashed", message: "", retryable: true };
const DATA = { decoding: 0.5, decoded, planned: plan, started: new JobProgress(0), progressed: {}, extended: chunk,
  failed: error, nullTested: { stems: [], residual: -120 }, deskChanged: { master: -6 } };
const song = newSong("song", new File([], "Song.wav"), "songs/song");
const after = (...intents) => intents.reduce((song, intent) => transition(song, intent, DATA[intent]), song);
const working = ["decoded", "planned", "started"];
const SONGS = {
  decoding: after(),
  ready: after("decoded"),
  unfinished: after(...working, "extended", "stopped"),
  waiting: after("decoded", "planned"),
  working: after(...working),
  done: after(...working, "extended", "finished"),
  failed: after(...working, "failed"),
  undecodable: after("failed"),
};
"""

#: A scripted engine, and everything needed to run a queue with it.
QUEUE: Final = """
const { Songs } = await import("/src/app/songs.js");
const { SeparationQueue } = await import("/src/app/separation-queue.js");
const { Store } = await import("/src/app/store.js");
const { initialState } = await import("/src/app/state.js");
class FakeEngine extends EventTarget {
  runs = [];
  async start() { return { device: "wasm", workers: 1, threads: 1, gflops: 10 }; }
  run(request, signal) { this.runs.push({ job: request.job, signal }); return this.answer(request, signal); }
  tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}
const engine = new FakeEngine();
const store = new Store(initialState());
const songs = new Songs(store);
const queue = new SeparationQueue(store, songs, engine);
const waiting = (id) => {
  const song = transition(newSong(id, new File([], `${id}.wav`), null), "decoded", decoded);
  return transition(song, "planned", { ...plan, model: { ...model, gflop_per_second: 100 } });
};
const report = { seconds: 1, modelSeconds: 1, segments: 6 };
const statuses = () => Object.fromEntries(songs.all.map(({ id, status }) => [id, status]));
"""


@pytest.fixture
def modules(page: Page) -> Page:
    """An origin from which the page's modules can be imported."""
    page.goto("/")
    return page


def run(page: Page, script: str, data: Any = None, library: str = LIBRARY) -> Any:
    return page.evaluate(f"async (data) => {{ {library} {script} }}", data)


def test_every_transition_is_the_one_of_the_table(modules: Page) -> None:
    script = """
    return data.map(([name, intent]) => {
      try {
        const next = transition(SONGS[name], intent, DATA[intent]);
        return [allows(SONGS[name], intent), next.status, Object.isFrozen(next)];
      } catch (reason) {
        return [allows(SONGS[name], intent), reason.constructor.name, true];
      }
    });"""
    pairs = list(product(STATUSES, TABLE))
    for (status, intent), seen in zip(pairs, run(modules, script, pairs), strict=True):
        following = STATUSES[status] if intent in ANYWHERE else TABLE[intent].get(status)
        expected = [True, following, True] if following else [False, "IllegalTransition", True]
        assert seen == expected, (status, intent)


def test_no_sequence_of_intents_leads_to_a_contradiction(modules: Page) -> None:
    script = """
    let state = 1;
    const random = (count) => (state = (state * 48271) % 2147483647) % count; // Lehmer: the same songs every time
    const intents = Object.keys(DATA).concat("retried", "unplanned", "finished", "stopped", "discarded");
    const broken = new Set();
    const reached = new Set();
    for (let sequence = 0; sequence < 500; sequence += 1) {
      let song = newSong("song", new File([], "Song.wav"), sequence % 2 ? "songs/song" : null);
      for (let step = 0; step < 40; step += 1) {
        const legal = intents.filter((intent) => allows(song, intent) && (intent !== "failed" || random(4) === 0));
        const intent = legal[random(legal.length)];
        song = transition(song, intent, intent === "planned" && random(3) === 0 ? preview : DATA[intent]);
        reached.add(song.status);
        const { status, plan, format, track, progress, error, stems, unfinished, decoded } = song;
        const claims = {
          "only a planned, decoded song waits or works":
            !["waiting", "working"].includes(status) || (plan !== null && format !== null && track !== null),
          "what is decoding has no samples": status !== "decoding" || (format === null && track === null),
          "what is ready or done has samples and no plan":
            !["ready", "done"].includes(status) || (format !== null && plan === null && decoded === 1),
          "progress is of what works": (progress !== null) === (status === "working"),
          "an error is of what failed": (error !== null) === (status === "failed"),
          "what is done has its stems and nothing to finish":
            status !== "done" || (stems.length === 2 && unfinished === null),
          "only songs with a folder can go on": unfinished === null || song.folder !== null,
        };
        for (const [claim, holds] of Object.entries(claims)) if (!holds) broken.add(`${claim}: ${intent}`);
      }
    }
    return { broken: [...broken], reached: [...reached].sort() };"""
    assert run(modules, script) == {
        "broken": [],
        "reached": ["decoding", "done", "failed", "ready", "waiting", "working"],
    }


def test_a_song_that_was_stopped_keeps_what_is_finished_and_a_preview_nothing(modules: Page) -> None:
    script = """
    const short = [["decoded", decoded], ["planned", preview], ["started", DATA.started], ["extended", chunk]]
      .reduce((song, [intent, data]) => transition(song, intent, data), song);
    const stopped = transition(short, "stopped");
    const { unfinished, stems } = SONGS.unfinished;
    return [unfinished, stems.length, stopped.unfinished, stopped.stems.length, stopped.preview,
      transition(short, "finished").status, short.preview];"""
    unfinished = {"model": "test", "preset": "standard", "fraction": 0.5}
    *others, part = run(modules, script)
    assert others == [unfinished, 2, None, 0, None, "ready"]
    assert part["start"] == 0
    assert 0.5 <= part["stop"] < 0.6


def test_a_measurement_of_replaced_stems_is_ignored(modules: Page) -> None:
    script = """
    const { done } = SONGS;
    const old = transition(done, "nullTested", { stems: [...done.stems], residual: -120 });
    return [old.nullTest, transition(done, "nullTested", { stems: done.stems, residual: -120 }).nullTest];"""
    assert run(modules, script) == [None, -120]


def test_the_queue_goes_on_after_whatever_a_song_does(modules: Page) -> None:
    """Each failure ends its own song alone, and none leaves it waiting: the queue would take it again for ever."""
    script = """
    songs.add(["thrown", "rejected", "cancelled", "without-samples", "good"].map(waiting));
    const hollow = songs.find("without-samples");
    store.set({ songs: songs.all.with(3, Object.freeze({ ...hollow, format: null })) });
    engine.answer = ({ job }) => {
      if (job === "thrown") throw new Error("thrown");
      if (job === "rejected") return Promise.reject(new Error("rejected"));
      if (job === "cancelled") queue.cancel(job);
      return Promise.resolve(report);
    };
    await queue.work();
    return statuses();"""
    assert run(modules, script, library=LIBRARY + QUEUE) == {
        "thrown": "failed",
        "rejected": "failed",
        "cancelled": "ready",
        "without-samples": "failed",
        "good": "done",
    }


def test_a_cancel_ends_its_own_job_alone(modules: Page) -> None:
    script = """
    songs.add(["first", "second"].map(waiting));
    const { promise, resolve } = Promise.withResolvers();
    engine.answer = () => promise;
    const work = queue.work();
    while (engine.runs.length < 1) await new Promise(requestAnimationFrame);
    queue.cancel("second");
    queue.cancel("unknown");
    const { aborted } = engine.runs[0].signal;
    resolve(report);
    await work;
    return [aborted, statuses()];"""
    assert run(modules, script, library=LIBRARY + QUEUE) == [False, {"first": "done", "second": "done"}]


def test_the_download_of_another_model_is_not_progress_of_the_job(modules: Page) -> None:
    """A device check that began before the separation may still be loading its model."""
    script = """
    songs.add([waiting("song")]);
    const downloads = [];
    engine.answer = async () => {
      for (const model of ["other", "test"]) {
        engine.tell("model.progress", { model, stage: "download", done: 1, total: 2 });
        downloads.push(songs.find("song").download);
      }
      return report;
    };
    await queue.work();
    return downloads;"""
    assert run(modules, script, library=LIBRARY + QUEUE) == [None, {"done": 1, "total": 2}]


def test_songs_are_separated_one_at_a_time(modules: Page) -> None:
    """Even when the queue is asked for more at the very moment that a song is finished."""
    script = """
    songs.add(["first", "second", "third"].map(waiting));
    let running = 0;
    let most = 0;
    engine.answer = async () => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setTimeout(resolve));
      running -= 1;
      return report;
    };
    const send = songs.send.bind(songs);
    songs.send = (id, intent, data) => {
      send(id, intent, data);
      if (intent === "finished") queueMicrotask(() => void queue.work());
    };
    await queue.work();
    return [most, statuses()];"""
    done = dict.fromkeys(("first", "second", "third"), "done")
    assert run(modules, script, library=LIBRARY + QUEUE) == [1, done]


def test_a_broken_song_leaves_the_next_ones_decodable(modules: Page) -> None:
    """A song that cannot be decoded is removed; when even that fails, the queue goes on."""
    wav = mixture(0.1)[0].tolist()
    script = """
    const { DecodingQueue } = await import("/src/app/decoding-queue.js");
    const { wavHeader } = await import("/src/export/page/wav.js");
    FileSystemDirectoryHandle.prototype.removeEntry = () => Promise.reject(new DOMException("", "InvalidStateError"));
    const good = new Blob([wavHeader(44100, 1, data.length), Float32Array.from(data)]);
    songs.add([
      newSong("broken", new File(["this is not music"], "broken.mp3"), "songs/broken"),
      newSong("good", new File([good], "good.wav"), "songs/good"),
    ]);
    const queue = new DecodingQueue(songs, Promise.resolve());
    await Promise.all(["broken", "good"].map((id) => queue.decode(id).catch(() => {})));
    return statuses();"""
    library = LIBRARY + QUEUE.replace("const queue = new SeparationQueue(store, songs, engine);", "")
    assert run(modules, script, wav, library) == {"broken": "failed", "good": "ready"}
