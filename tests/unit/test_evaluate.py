"""`demixer evaluate` on small songs with known stems, and the parts that it is made of."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from distributed import LocalCluster
from typer.testing import CliRunner, Result

from demixer import cli
from demixer.audio import Samples
from demixer.errors import AudioError
from demixer.evaluation import run as running
from demixer.evaluation import score, tables
from demixer.evaluation.charts import dot_chart
from demixer.evaluation.score import measure
from demixer.evaluation.songs import Song, find_songs
from demixer.evaluation.views import targets
from demixer_build import evaluation
from tests import songs

pytestmark = pytest.mark.slow

RATE = 8_000


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, ["evaluate", *map(str, arguments), "--model", "hpss"])


def write_song(folder: Path, seconds: float = 1.5, suffix: str = ".wav") -> Path:
    folder.mkdir(parents=True)
    for name, stem in (songs.stems(seconds, RATE) | {"mixture": songs.mixture(seconds, RATE)}).items():
        soundfile.write(folder / f"{name}{suffix}", stem.T, RATE)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_song(tmp_path / "data" / "test" / "One - a", 1.5)
    write_song(tmp_path / "data" / "test" / "Two - b", 2.1, ".flac")
    return tmp_path / "data"


def scores(output: Path) -> Any:
    """Everything that a run reports but how long it took."""
    report = json.loads((output / "scores.json").read_text())
    del report["costs"]
    for result in report["results"]:
        del result["seconds"]
    return report


def test_a_report_of_every_form(data: Path, tmp_path: Path) -> None:
    result = evaluate(data, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    report = scores(tmp_path / "out")
    assert report["songs"] == ["test/One - a", "test/Two - b"]
    rows = {row["target"]: row for row in report["summary"]}
    assert rows.keys() == {"percussive", "harmonic"}
    each = [result["scores"]["drums"]["harmonic"]["sdr"] for result in report["results"]]
    assert rows["harmonic"]["mean"]["sdr"] == pytest.approx(np.mean(each), abs=1e-3)
    assert rows["harmonic"]["median"]["sdr"] == pytest.approx(np.median(each), abs=1e-3)
    assert rows["harmonic"]["mean"]["sdr"] > 5
    assert all(result["residual"] < -80 for result in report["results"])
    with (tmp_path / "out" / "scores.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [float(line["sdr"]) for line in lines if line["target"] == "harmonic"] == each
    assert "One - a" in (tmp_path / "out" / "report.html").read_text()
    chart = ElementTree.parse(tmp_path / "out" / "sdr-drums.svg")
    assert len(chart.findall(".//{*}circle")) == 4


def test_a_second_run_goes_on_where_the_first_stopped(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = data / "test" / "Two - b" / "drums.flac"
    whole = broken.read_bytes()
    broken.write_bytes(b"not music")
    first = evaluate(data, "-o", tmp_path / "out")
    assert first.exit_code == 2
    assert "Two - b" in first.stderr
    assert scores(tmp_path / "out")["songs"] == ["test/One - a"]

    broken.write_bytes(whole)
    names: list[str] = []

    def watched(job: score.Job, real: Callable[[score.Job], Any] = score.run) -> Any:
        names.append(job.song.name)
        return real(job)

    workers = ThreadPoolExecutor(1)
    monkeypatch.setattr(score, "run", watched)
    monkeypatch.setattr(running, "processes", lambda _: workers)
    assert evaluate(data, "-o", tmp_path / "out").exit_code == 0
    assert names == ["test/Two - b"]
    assert scores(tmp_path / "out")["songs"] == ["test/One - a", "test/Two - b"]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the songs that are measured, in this process."""
    names: list[str] = []

    def watched(job: score.Job, real: Callable[[score.Job], Any] = score.run) -> Any:
        names.append(job.song.name)
        return real(job)

    monkeypatch.setattr(score, "run", watched)
    monkeypatch.setattr(running, "processes", lambda _: ThreadPoolExecutor(1))
    return names


def test_a_result_of_other_sources_is_measured_again(
    data: Path, tmp_path: Path, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    songs = ["test/One - a", "test/Two - b"]
    assert evaluate(data, "-o", tmp_path / "out").exit_code == 0
    assert evaluate(data, "-o", tmp_path / "out").exit_code == 0
    assert measured == songs
    monkeypatch.setattr(score, "sources", lambda: "changed")
    assert evaluate(data, "-o", tmp_path / "out").exit_code == 0
    assert measured == songs * 2
    assert len(list((tmp_path / "out" / "results").iterdir())) == len(songs)


@pytest.mark.parametrize("damage", ["", "{}", "[1]", '{"song": "test/One - a"'])
def test_a_damaged_result_is_measured_again(data: Path, tmp_path: Path, measured: list[str], damage: str) -> None:
    assert evaluate(data, "-o", tmp_path / "out").exit_code == 0
    for file in (tmp_path / "out" / "results").iterdir():
        file.write_text(damage)
    assert evaluate(data, "-o", tmp_path / "out").exit_code == 0
    assert len(measured) == 4


def test_a_result_knows_its_weights(tmp_path: Path) -> None:
    def code(content: bytes) -> str:
        weights = tmp_path / f"{content.decode()}.onnx"
        weights.write_bytes(content)
        system = score.System("hpss", cli.load_models()["hpss"], "standard", (weights,), raw=False)
        return score.Job(Song("song", {}), system, threads=1).code

    assert code(b"one") != code(b"two")
    assert code(b"one") == code(b"one")


def test_parts_that_no_score_depends_on_are_there() -> None:
    package = Path(cli.__file__).parent
    assert all((package / name).exists() for name in score._NOT_MEASURED if name.endswith(".py"))


@pytest.mark.slow
def test_a_cluster_gives_the_same_results(data: Path, tmp_path: Path) -> None:
    assert evaluate(data, "-o", tmp_path / "here", "--jobs", 2).exit_code == 0
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="tcp"
    ) as cluster:
        result = evaluate(data, "-o", tmp_path / "there", "--scheduler", cluster.scheduler_address)
    assert result.exit_code == 0, result.output
    assert scores(tmp_path / "there") == scores(tmp_path / "here")


def test_no_scheduler_is_one_line(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("timed out")

    monkeypatch.setattr("distributed.Client", refuse)
    result = evaluate(data, "-o", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:1")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "demixer: No Dask scheduler answers at tcp://127.0.0.1:1. Check the address and the network."
    ]


def test_a_worker_that_dies_is_one_line(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_: score.Job) -> score.Result:
        raise MemoryError("killed")

    workers = ThreadPoolExecutor(1)
    monkeypatch.setattr(score, "run", die)
    monkeypatch.setattr(running, "processes", lambda _: workers)
    result = evaluate(data, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "killed" in result.stderr


@pytest.mark.parametrize("name", ["hpss:best", "nonsense"])
def test_unknown_systems_are_one_line(data: Path, tmp_path: Path, name: str) -> None:
    result = evaluate(data, "-o", tmp_path / "out", "--model", name)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_musdb_stem_files(tmp_path: Path) -> None:
    parts = songs.stems(1.0)
    tracks = [songs.mixture(1.0), parts["drums"], parts["bass"], parts["other"], np.zeros_like(parts["bass"])]
    write_stem_file(tmp_path / "test" / "A - b.stem.mp4", tracks)
    (song,) = find_songs([tmp_path])
    assert song.name == "test/A - b"
    mixture, stems = song.read()
    assert list(stems) == ["drums", "bass", "other", "vocals"]
    start = slice(2_000, 40_000)  # AAC's ends are not exact
    for name, stem in parts.items():
        error = stems[name][:, start] - stem[:, start]
        assert np.square(error).mean() < 0.02 * np.square(stem).mean(), name
    assert stems["vocals"].shape == mixture.samples.shape


def write_stem_file(path: Path, tracks: list[Samples]) -> None:
    path.parent.mkdir(parents=True)
    with av.open(str(path), "w", format="mp4") as container:
        streams = [container.add_stream("aac", rate=44_100, layout="stereo", bit_rate=256_000) for _ in tracks]
        for stream, samples in zip(streams, tracks, strict=True):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
            frame.rate, frame.pts, frame.time_base = 44_100, 0, Fraction(1, 44_100)
            container.mux([*stream.encode(frame), *stream.encode(None)])


def test_a_song_folder_itself_and_stems_that_do_not_fit(tmp_path: Path) -> None:
    folder = write_song(tmp_path / "song")
    (song,) = find_songs([folder])
    assert song.name == "song"
    soundfile.write(folder / "bass.wav", np.zeros((3 * RATE, 2)), RATE)
    with pytest.raises(AudioError, match="bass"):
        song.read()


def test_folders_without_songs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mixture.wav").touch()
    with pytest.raises(AudioError, match="No song"):
        find_songs([tmp_path])


def test_views_of_stems() -> None:
    parts = {name: np.full((2, 4), value, np.float32) for name, value in (("drums", 1), ("bass", 2), ("keys", 4))}
    parts["vocals"] = np.full((2, 4), 8, np.float32)

    def levels(view: str, stems: dict[str, Samples]) -> list[float] | None:
        found = targets(view, stems)
        return None if found is None else [float(signal[0, 0]) for signal in found]

    assert levels("four stems", parts) == [1, 2, 4, 8]
    assert levels("vocals", parts) == [8, 7]
    assert levels("drums", parts) == [1, 14]
    two = {"vocals": parts["vocals"], "accompaniment": parts["bass"]}
    assert levels("vocals", two) == [8, 2]
    assert levels("four stems", two) is None
    assert levels("drums", two) is None


def test_a_silent_stem_is_left_out() -> None:
    stems = {name: stem[:1] for name, stem in songs.stems(2.0, RATE).items()}
    stems["vocals"] = np.zeros_like(stems["bass"])
    estimates = {name: (0.9 * stem + 0.01).astype(np.float32) for name, stem in stems.items()}
    measured = measure(stems, estimates, RATE)
    assert measured["four stems"]["vocals"] == dict.fromkeys(score.METRICS)
    assert measured["four stems"]["bass"]["sdr"] == pytest.approx(15, abs=6)
    assert measured["four stems"]["bass"]["bss_sdr"] is not None


def test_a_perfect_estimate_is_valid_json() -> None:
    stems = {name: stem[:1] for name, stem in songs.stems(1.0, RATE).items()}
    measured = measure(
        {"drums": stems["drums"], "rest": stems["bass"]},
        {"percussive": stems["drums"], "harmonic": stems["bass"]},
        RATE,
    )
    json.dumps(measured, allow_nan=False)
    assert measured["drums"]["percussive"]["bss_sdr"] is None


def test_charts_escape_names_and_say_nothing_about_nothing() -> None:
    scores: score.Scores = {"vocals": {"vocals": {"sdr": 3.0}, "accompaniment": {"sdr": -12.0}}}
    result = score.Result("a", "<model>", 1.0, 1.0, None, scores, "")
    chart = dot_chart([result], "vocals", "sdr", "SDR & co")
    assert ElementTree.fromstring(chart).get("aria-label") == "SDR & co"
    assert "<model>" not in chart
    assert dot_chart([result], "drums", "sdr", "none") == ""


def test_costs_are_ratios_to_the_first_system() -> None:
    results = [score.Result("a", name, 10.0, seconds, None, {}, "") for name, seconds in (("x", 5.0), ("y", 10.0))]
    assert [(cost.seconds_per_second, cost.ratio) for cost in tables.costs(results)] == [(0.5, 1.0), (1.0, 2.0)]


def test_the_music_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "STATE", tmp_path)
    found = {song.name: song for song in find_songs(evaluation.songs_at_hand())}
    assert {"stempeg", "synthetic"} <= found.keys()
    for song in found.values():
        mixture, stems = song.read()
        assert list(stems) == ["bass", "drums", "other", "vocals"]
        error = mixture.samples - sum(stems.values())
        # stempeg's mixture went through a lossy codec of its own.
        assert np.square(error).mean() < 0.02 * np.square(mixture.samples).mean(), song.name
