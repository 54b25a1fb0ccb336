"""The page's own arithmetic: pace, progress, gains, files and the mixer, each module by itself."""

from __future__ import annotations

import base64
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page

from demixer import stems
from demixer.audio import Samples
from demixer.normalisation import Meter


@pytest.fixture
def modules(page: Page) -> Page:
    """An origin from which the page's modules can be imported."""
    page.goto("/")
    return page


def pace(page: Page, script: str) -> Any:
    return page.evaluate(f"async () => {{ const {{ Pace }} = await import('/src/app/progress.js'); {script} }}")


def test_pace_moves_every_two_seconds_and_never_reaches_the_next_mark(modules: Page) -> None:
    script = """
    const pace = new Pace(100, 0);
    const seen = [];
    pace.mark(0, 0.1, 0);
    for (let now = 0; now <= 300; now += 2) seen.push(pace.fraction(now));
    return seen;
    """
    seen = np.array(pace(modules, script))
    assert (np.diff(seen) > 0).all()
    assert seen[0] == 0
    assert seen[-1] < 0.1
    assert seen[2] == pytest.approx(0.04)


def test_pace_takes_the_measured_rate(modules: Page) -> None:
    script = """
    const pace = new Pace(1000, 0);
    pace.mark(0, 0.25, 0);
    const before = pace.measured;
    pace.mark(0.25, 0.5, 5);
    return [before, pace.measured, pace.fraction(5), pace.fraction(7), pace.secondsLeft(5)];
    """
    assert pace(modules, script) == [False, True, 0.25, pytest.approx(0.35), pytest.approx(15)]


def test_pace_stays_at_marks_of_unknown_distance(modules: Page) -> None:
    script = """
    const pace = new Pace(10, 0);
    pace.mark(0.3, 0.3, 1);
    return [pace.fraction(1), pace.fraction(50)];
    """
    assert pace(modules, script) == [0.3, 0.3]


def test_progress_moves_in_a_phase_without_marks(modules: Page) -> None:
    """The engine starts without a word for seconds."""
    script = """async () => {
      const { JobProgress } = await import("/src/app/progress.js");
      const progress = new JobProgress(0);
      return [0, 2, 4, 6, 8, 20, 60].map((now) => progress.view(now));
    }"""
    seen = modules.evaluate(script)
    assert {view["phase"] for view in seen} == {"start"}
    assert (np.diff([view["fraction"] for view in seen]) > 0).all()
    assert seen[-1]["part"] < 1


def test_progress_of_a_job_never_goes_back(modules: Page) -> None:
    script = """async () => {
      const { JobProgress } = await import("/src/app/progress.js");
      const progress = new JobProgress(0);
      const seen = [progress.view(3)];
      progress.expect("separate", 500);
      progress.mark("download", 0.5, 0.5, 8);
      seen.push(progress.view(8));
      progress.mark("create", 0, 1, 12);
      seen.push(progress.view(13));
      progress.mark("separate", 0, 0.1, 15);
      progress.mark("download", 1, 1, 16);
      seen.push(progress.view(30));
      progress.mark("separate", 1, 1, 500);
      seen.push(progress.view(500));
      return seen;
    }"""
    seen = modules.evaluate(script)
    fractions = [view["fraction"] for view in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert [view["phase"] for view in seen] == ["start", "download", "create", "separate", "separate"]
    # No time is told before there is something to tell it from.
    assert seen[0]["secondsLeft"] is None
    assert seen[3]["secondsLeft"] == pytest.approx(485)


@pytest.mark.parametrize("absent", [["download", "create", "measure"], []], ids=["foreseen", "found out"])
def test_phases_that_do_not_take_place_have_no_share_of_the_bar(modules: Page, absent: list[str]) -> None:
    """After the first of six segments, a sixth is done: whether or not it was foreseen that nothing comes before."""
    script = """async (absent) => {
      const { JobProgress } = await import("/src/app/progress.js");
      const progress = new JobProgress(0, ["start", ...absent]);
      progress.expect("separate", 12);
      const before = progress.view(0).fraction;
      progress.mark("separate", 1 / 6, 2 / 6, 2);
      return [before, progress.view(2).fraction];
    }"""
    assert modules.evaluate(script, absent) == [0, pytest.approx(1 / 6)]


def test_a_damaged_preference_is_an_empty_one(modules: Page) -> None:
    script = """async () => {
      const { recallRecord, remember } = await import("/src/platform/preferences.js");
      remember("whole", '{"a": 1}');
      for (const [key, text] of Object.entries({ torn: '{"a":', empty: "", nothing: "null" })) remember(key, text);
      return ["whole", "torn", "empty", "nothing", "missing"].map(recallRecord);
    }"""
    assert modules.evaluate(script) == [{"a": 1}, {}, {}, {}, {}]


def test_estimates_come_from_the_device_and_then_from_runs(modules: Page) -> None:
    script = """async () => {
      const { estimate, learn } = await import("/src/app/estimates.js");
      const presets = { standard: { overlap: 0.25 }, best: { overlap: 0.5 } };
      const model = { id: "test", gflop_per_second: 40, presets };
      const engine = { device: "wasm", workers: 1, threads: 2, gflops: 20 };
      const before = [estimate(model, "standard", 60, engine), estimate(model, "unknown", 60, engine)];
      learn(model, "standard", 30, engine, 90);
      const other = { ...engine, threads: 8 };
      return [...before, estimate(model, "standard", 60, engine), estimate(model, "best", 60, engine),
        estimate(model, "standard", 60, other)];
    }"""
    assert modules.evaluate(script) == [pytest.approx(seconds) for seconds in (160, 160, 180, 270, 160)]


@pytest.mark.parametrize(
    ("strips", "gains"),
    [
        ([{}, {}], [1, 1]),
        ([{"muted": True}, {}], [0, 1]),
        ([{"soloed": True}, {}], [1, 0]),
        ([{"soloed": True, "muted": True}, {"volume": 6}], [0, 0]),
        ([{"volume": -20}, {"volume": -60}], [0.1, 0]),
    ],
)
def test_gains_of_the_strips(modules: Page, strips: list[dict[str, Any]], gains: list[float]) -> None:
    script = """async (strips) => {
      const { neutralStrip, stripGains } = await import("/src/playback/page/gains.js");
      return stripGains(strips.map((strip) => ({ ...neutralStrip(), ...strip })));
    }"""
    assert modules.evaluate(script, strips) == [pytest.approx(gain) for gain in gains]


def test_faders_reach_every_level_and_panning_leaves_the_centre_alone(modules: Page) -> None:
    script = """async () => {
      const { FADER, faderStep, neutralStrip, sideGains } = await import("/src/playback/page/gains.js");
      const strips = [-1, -0.5, 0, 1].map((pan) => ({ ...neutralStrip(), pan }));
      return { fader: FADER, steps: FADER.map(faderStep), between: faderStep(-5.8), sides: sideGains(strips) };
    }"""
    seen = modules.evaluate(script)
    fader = seen["fader"]
    assert (fader[0], fader[-1]) == (-60, 6)
    assert 0 in fader
    travel = np.diff(fader)
    assert (travel > 0).all()
    assert (np.diff(travel) <= 0).all()  # ever finer
    assert seen["steps"] == list(range(len(fader)))
    assert fader[seen["between"]] == -6
    assert seen["sides"] == [[1, 0], [1, 0.5], [1, 1], [0, 1]]


@pytest.mark.parametrize(
    ("stems", "balances"),
    [
        (["drums", "bass", "other", "vocals"], ["karaoke", "vocals", "no-drums", "no-bass", "original"]),
        (["vocals", "accompaniment"], ["karaoke", "vocals", "original"]),
        (["harmonic", "percussive"], ["original"]),
    ],
)
def test_balances_are_those_that_the_stems_allow(modules: Page, stems: list[str], balances: list[str]) -> None:
    script = """async (stems) => {
      const { balanceOf, balancesFor, balanceStrips } = await import("/src/playback/page/balances.js");
      const names = balancesFor(stems);
      const strips = Object.fromEntries(names.map((name) => [name, balanceStrips(name, stems)]));
      return { names, strips, found: names.map((name) => balanceOf(strips[name])) };
    }"""
    seen = modules.evaluate(script, stems)
    assert seen["names"] == seen["found"] == balances
    muted = {
        name: {stem for stem, strip in strips.items() if strip["muted"]} for name, strips in seen["strips"].items()
    }
    expected = {
        "karaoke": {"vocals"},
        "vocals": set(stems) - {"vocals"},
        "no-drums": {"drums"},
        "no-bass": {"bass"},
        "original": set(),
    }
    assert muted == {name: expected[name] for name in balances}


@pytest.mark.parametrize(("channels", "rate"), [(1, 8_000), (2, 44_100), (6, 96_000)])
def test_wav_files_hold_the_samples(modules: Page, tmp_path: Path, channels: int, rate: int) -> None:
    samples = np.random.default_rng(3).normal(0, 2, (channels, 70_000)).astype(np.float32)
    script = """async ([text, channels, rate]) => {
      const frames = new Float32Array(Uint8Array.fromBase64(text).buffer);
      const { Track } = await import("/src/library/track.js");
      const { wavBlob } = await import("/src/export/page/wav.js");
      const length = frames.length / channels;
      const track = new Track("test", channels, length, 64);
      for (const [start, stop] of [[0, 777], [777, length]]) {
        const blob = new Blob([frames.slice(start * channels, stop * channels)]);
        track.append([{ start, length: stop - start, blob }], new Float32Array());
      }
      return new Uint8Array(await wavBlob(track, rate, {}, "Test").arrayBuffer()).toBase64();
    }"""
    path = tmp_path / "test.wav"
    frames = base64.b64encode(samples.T.tobytes()).decode()
    path.write_bytes(base64.b64decode(modules.evaluate(script, [frames, channels, rate])))
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.samplerate) == ("WAV", "FLOAT", rate)
    assert np.array_equal(soundfile.read(path, dtype="float32", always_2d=True)[0].T, samples)


def test_a_track_is_read_across_its_pieces(modules: Page) -> None:
    script = """async () => {
      const { Track } = await import("/src/library/track.js");
      const track = new Track("test", 2, 10, 4);
      const piece = (start, length) => {
        const frames = Float32Array.from({ length: 2 * length }, (_, at) => (at % 2 ? -1 : 1) * (start + (at >> 1)));
        track.append([{ start, length, blob: new Blob([frames]) }], new Float32Array(2 * Math.floor(length / 4)));
      };
      piece(0, 4);
      piece(4, 5);
      const samples = await track.read(2, 7);
      const seen = [track.available, track.drawn, ...samples.map((channel) => Array.from(channel))];
      piece(0, 3); // a job that begins anew
      return [...seen, track.available, track.drawn];
    }"""
    assert modules.evaluate(script) == [9, 2, [2, 3, 4, 5, 6], [-2, -3, -4, -5, -6], 3, 0]


def test_a_part_of_a_track_is_looked_at_closely(modules: Page) -> None:
    samples = np.random.default_rng(3).uniform(-1, 1, (300_000, 2)).astype(np.float32)
    script = """async (text) => {
      const { Track } = await import("/src/library/track.js");
      const track = new Track("test", 2, 300_000, 64);
      track.append([{ start: 0, length: 300_000, blob: new Blob([Uint8Array.fromBase64(text)]) }], new Float32Array(0));
      const { values, hop, origin, start, stop } = await track.measurePeaks(1_001, 290_000, 16);
      return [hop, origin, start, stop, Array.from(values)];
    }"""
    *facts, values = modules.evaluate(script, base64.b64encode(samples.tobytes()).decode())
    assert facts == [16, 1_001, 1_001, 290_000]
    starts = np.arange(0, 290_000 - 1_001, 16)
    part = samples[1_001:290_000]
    lowest, highest = (np.minimum.reduceat(part.min(1), starts), np.maximum.reduceat(part.max(1), starts))
    assert np.array_equal(np.array(values, np.float32).reshape(-1, 2).T, [lowest, highest])


def test_a_wav_file_past_four_gibibytes_says_its_length_elsewhere(modules: Page, tmp_path: Path) -> None:
    script = """async (frames) => {
      const { wavHeader } = await import("/src/export/page/wav.js");
      return Array.from(wavHeader(96_000, 2, frames));
    }"""
    frames = 2**30
    path = tmp_path / "long.wav"
    header = bytes(modules.evaluate(script, frames))
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + 8 * frames)  # sparse: silence that takes no room
    info = soundfile.info(path)
    assert (info.format, info.frames, info.channels, info.samplerate) == ("RF64", frames, 2, 96_000)


@pytest.mark.parametrize("frames", [1, 63, 64, 6400, 600_001, 1_200_000])
def test_a_song_is_measured_while_it_is_read(modules: Page, frames: int) -> None:
    random = np.random.default_rng(frames)
    samples = (0.1 + 0.3 * random.standard_normal((2, frames))).astype(np.float32)
    told = surveyed(modules, samples)
    assert told["peaks"] == stems.peaks(samples, told["hop"]).ravel().tolist()
    assert len(told["peaks"]) <= 2 << 16
    meter = Meter(frames)
    meter.add(samples)
    assert told["normalisation"] == pytest.approx(asdict(meter.normalisation), rel=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_song_with_what_is_no_number_is_refused(modules: Page, bad: float) -> None:
    samples = np.zeros((2, 1000), np.float32)
    samples[1, 500] = bad
    assert surveyed(modules, samples) == {"code": "audio/not-finite"}


def surveyed(page: Page, samples: Samples) -> Any:
    """The measurement of a song in pieces of the decoder's size."""
    script = """async (text) => {
      const { Measurement, hopFor } = await import("/src/library/measurement.js");
      const samples = new Float32Array(Uint8Array.fromBase64(text).buffer);
      const measurement = new Measurement();
      try {
        for (let at = 0; at < samples.length; at += 2 << 19) measurement.add(samples.subarray(at, at + (2 << 19)), 2);
      } catch ({ code }) {
        return { code };
      }
      const { peaks, normalisation } = measurement;
      return { peaks: [...peaks], normalisation, hop: hopFor(samples.length / 2) };
    }"""
    return page.evaluate(script, base64.b64encode(samples.T.tobytes()).decode())


def test_a_handle_is_held_until_it_has_answered(modules: Page) -> None:
    """Chromium drops the question with a handle that is collected meanwhile."""
    modules.evaluate(
        """async () => {
          const { held } = await import("/src/library/opfs.js");
          const ask = (handle, question) => {
            const answer = question(handle);
            return { handle: new WeakRef(handle), answer };
          };
          const wait = () => new Promise((resolve) => (self.reply = resolve));
          self.alone = ask({}, wait);
          self.safe = ask({}, (handle) => held(handle, wait));
        }"""
    )
    devtools = modules.context.new_cdp_session(modules)
    devtools.send("HeapProfiler.collectGarbage")
    reached = "() => [self.alone, self.safe].map(({ handle }) => handle.deref() !== undefined)"
    assert modules.evaluate(reached) == [False, True]
    modules.evaluate("() => (self.reply(7), self.safe.answer)")
    devtools.send("HeapProfiler.collectGarbage")
    assert modules.evaluate(reached) == [False, False]


def test_remembered_choices_that_are_not_offered_are_left_out(modules: Page) -> None:
    script = """async () => {
      const { recallChoices } = await import("/src/app/export-plan.js");
      const defaults = recallChoices();
      const recalled = (record) => {
        localStorage.setItem("demixer.export", JSON.stringify(record));
        return recallChoices();
      };
      return [
        defaults,
        recalled({ what: "everything", format: "ogg", bits: 24, bitrate: "1", pattern: 5, stem: "drums" }),
        recalled({ what: "all", format: "flac", bits: "16", bitrate: "128", pattern: "{title}" }),
      ];
    }"""
    defaults, spoilt, chosen = modules.evaluate(script)
    assert spoilt == defaults
    assert chosen == {"what": "all", "format": "flac", "bits": "16", "bitrate": "128", "pattern": "{title}"}
