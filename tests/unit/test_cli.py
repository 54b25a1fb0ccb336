"""The command line, for people and for scripts, with the model that needs no weights."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from demixer import cli
from demixer.audio import Clip, Samples
from demixer.runtimes.files import open_song
from demixer.runtimes.writing import Stems

STEMS = ("harmonic", "percussive")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def separate(output: Path, *arguments: object) -> Result:
    return run("separate", *arguments, "-o", output, "--model", "hpss")


def tone(seconds: float = 1.0, rate: int = 44_100, channels: int = 2) -> Samples:
    time = np.arange(int(seconds * rate)) / rate
    waves = [0.3 * np.sin(2 * np.pi * 220 * (channel + 1) * time) for channel in range(channels)]
    return np.asarray(waves, np.float32)


def write(path: Path, samples: Samples, rate: int = 44_100, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, samples.T, rate, subtype=subtype)
    return path


def read(path: Path) -> tuple[Samples, int]:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.T, rate


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (22_050, 1), (44_100, 2), (48_000, 6), (192_000, 2)])
def test_stems_keep_rate_channels_and_length(tmp_path: Path, rate: int, channels: int) -> None:
    samples = tone(0.7, rate, channels)
    song = write(tmp_path / "My song.wav", samples, rate)
    result = separate(tmp_path / "out", song)
    assert result.exit_code == 0, result.output
    total = np.zeros_like(samples)
    for stem in STEMS:
        path = tmp_path / "out" / "My song" / f"{stem}.wav"
        assert soundfile.info(path).subtype == "FLOAT"
        stem_samples, stem_rate = read(path)
        assert (stem_rate, stem_samples.shape) == (rate, samples.shape)
        total += stem_samples
    np.testing.assert_allclose(total, samples, rtol=0, atol=1e-4)
    assert ("3 pairs" in result.output) == (channels == 6)


@pytest.mark.parametrize("name", ["song.flac", "song.mp3", "song.ogg", "song.aiff"])
def test_formats_of_libsndfile(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, tone().T, 44_100)
    assert separate(tmp_path / "out", tmp_path / name).exit_code == 0
    assert abs(read(tmp_path / "out/song/harmonic.wav")[0].shape[1] - 44_100) <= 1152


def encode(path: Path, samples: Samples, codec: str, rate: int = 44_100) -> Path:
    """Encode a stereo song with FFmpeg."""
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=rate, layout="stereo")
        assert isinstance(track, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for converted in av.AudioResampler(track.format, "stereo", rate).resample(frame):
            container.mux(track.encode(converted))
        container.mux(track.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "rate", "padding"),
    [
        ("song.m4a", "aac", 44_100, 0),
        ("song.m4a", "alac", 44_100, 0),
        ("song.mp4", "mp3", 44_100, 0),
        ("song.webm", "libopus", 48_000, 0),
        ("song.mkv", "aac", 44_100, 1024),  # a container without a place for the padding
    ],
)
def test_ffmpeg_formats_line_up_with_the_original(
    tmp_path: Path, name: str, codec: str, rate: int, padding: int
) -> None:
    click = tone(rate=rate)
    click[:, :1_000] = 0
    click[:, 300] = 0.9
    song = encode(tmp_path / name, click, codec, rate)
    result = separate(tmp_path / "out", song)
    assert result.exit_code == 0, result.output
    harmonic, found_rate = read(tmp_path / "out/song/harmonic.wav")
    samples = harmonic + read(tmp_path / "out/song/percussive.wav")[0]
    assert found_rate == rate
    assert np.abs(samples[0, :1_000]).argmax() == 300
    assert 0 <= samples.shape[1] - rate <= padding


def test_json_has_all_facts(tmp_path: Path) -> None:
    song = write(tmp_path / "a.wav", tone(0.2))
    missing = tmp_path / "none.wav"
    result = separate(tmp_path / "out", song, missing, "--json")
    report: dict[str, Any] = json.loads(result.stdout)
    good, bad = report["songs"]
    assert result.exit_code == 2
    assert {name: Path(path) for name, path in good["stems"].items()} == {
        stem: tmp_path / "out" / "a" / f"{stem}.wav" for stem in STEMS
    }
    assert (good["rate"], good["channels"], good["samples"]) == (44_100, 2, 8_820)
    assert bad["error"]["code"] == "audio/unreadable"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "audio/unreadable"), (b"x", "audio/unreadable"), (b"not music at all\n" * 99, "audio/unreadable")],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path: Path, content: bytes, code: str) -> None:
    song = tmp_path / "bad.mp3"
    song.write_bytes(content)
    result = separate(tmp_path / "out", song)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "bad.mp3" in result.stderr
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())
    assert json.loads(separate(tmp_path / "out", song, "--json").stdout)["songs"][0]["error"]["code"] == code


def test_not_finite_leaves_no_files(tmp_path: Path) -> None:
    samples = tone(0.2)
    samples[0, 100] = np.nan
    result = separate(tmp_path / "out", write(tmp_path / "nan.wav", samples))
    assert result.exit_code == 2
    assert "not numbers" in result.stderr
    assert not list((tmp_path / "out").rglob("*"))


def test_a_failure_keeps_earlier_stems(tmp_path: Path) -> None:
    song = write(tmp_path / "a.wav", tone(0.2))
    assert separate(tmp_path / "out", song).exit_code == 0
    before = (tmp_path / "out/a/harmonic.wav").read_bytes()
    samples = tone(0.2)
    samples[:, -1] = np.inf
    write(song, samples)
    assert separate(tmp_path / "out", song).exit_code == 2
    assert (tmp_path / "out/a/harmonic.wav").read_bytes() == before
    assert {path.name for path in (tmp_path / "out/a").iterdir()} == {"harmonic.wav", "percussive.wav"}


def test_songs_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    songs = []
    for folder, seconds in (("x", 0.2), ("y", 0.3)):
        (tmp_path / folder).mkdir()
        songs.append(write(tmp_path / folder / "song.wav", tone(seconds)))
    assert separate(tmp_path / "out", *songs).exit_code == 0
    assert read(tmp_path / "out/song/harmonic.wav")[0].shape[1] == 8_820
    assert read(tmp_path / "out/song (2)/harmonic.wav")[0].shape[1] == 13_230


def test_folders_have_names_that_every_system_takes(tmp_path: Path) -> None:
    songs = ("Mr. Brightside", "a/AC:DC.wav", "con.mp3", "x/Song.mp3", "y/song.flac", "...wav")
    folders = ("Mr. Brightside", "AC_DC", "_con", "Song", "song (2)", "song (3)")
    assert cli.song_folders([Path(song) for song in songs], tmp_path) == [tmp_path / folder for folder in folders]


def test_stems_have_names_that_every_system_takes(tmp_path: Path) -> None:
    names = ("vocals", "Vocals", "lead/backing", "aux", "..")
    files = ("vocals.wav", "Vocals (2).wav", "lead_backing.wav", "_aux.wav", "stem.wav")
    with Stems(tmp_path, names, Clip(tone(0.1), 44_100)) as stems:
        assert list(stems.paths) == list(names)
    assert {path.name for path in tmp_path.iterdir()} == set(files)


def test_a_song_is_read_as_it_is(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).normal(0, 0.2, (3, 200_001)).astype(np.float32)
    with open_song(write(tmp_path / "a.wav", samples), tmp_path) as song:
        assert (song.rate, song.channels, song.length) == (44_100, 3, 200_001)
        for start, stop in ((0, 200_001), (100, 100), (131_000, 131_100), (200_000, 200_001)):
            np.testing.assert_array_equal(asyncio.run(song.read(start, stop)), samples[:, start:stop])
        assert {path.name for path in tmp_path.iterdir()} == {"a.wav"}


def test_memory_does_not_grow_with_the_song(tmp_path: Path) -> None:
    def peak(seconds: int) -> int:
        song = write(tmp_path / "a.wav", np.resize(tone(1.0, 8_000, 1), (1, seconds * 8_000)), 8_000, "PCM_16")
        tracemalloc.start()
        try:
            assert separate(tmp_path / "out", song).exit_code == 0
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(20)  # what is built once
    assert peak(240) <= 1.1 * peak(40)


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    song = write(tmp_path / "a.wav", np.resize(tone(), (2, 44_100 * 300)), subtype="PCM_16")
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import demixer.cli as c; c.main()"
    )
    arguments = [sys.executable, "-c", script, "separate", str(song), "-o", str(tmp_path / "out"), "--model", "hpss"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        parts = tmp_path / "out" / "a" / "harmonic.wav.part"
        while process.poll() is None and not (parts.exists() and parts.stat().st_size > 100_000):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, message = process.communicate()
    assert process.returncode == 130
    assert "Cancelled" in message
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_unwritable_output(tmp_path: Path) -> None:
    song = write(tmp_path / "a.wav", tone(0.2))
    blocked = tmp_path / "file"
    blocked.touch()
    result = separate(blocked, song)
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_unknown_model(tmp_path: Path) -> None:
    result = run("separate", "x.wav", "-o", tmp_path, "--model", "nonsense")
    assert result.exit_code == 2
    assert "hpss" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_models_lists_what_the_checkout_describes() -> None:
    rows = {row["id"]: row for row in json.loads(run("models", "--json").stdout)}
    assert {"htdemucs", "spleeter-2stems", "hpss"} <= rows.keys()
    assert rows["hpss"]["built"]
    assert rows["htdemucs"]["stems"] == ["drums", "bass", "other", "vocals"]
    assert "personal" in rows["htdemucs"]["licence"]["notice"]
    assert "HT-Demucs" in run("models").stdout


def test_a_model_that_is_not_built_says_how_to_build_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "MODELS", tmp_path)
    result = run("separate", "x.wav", "-o", tmp_path, "--model", "htdemucs")
    assert result.exit_code == 2
    assert "build.py site" in result.stderr


def test_the_command_is_installed() -> None:
    command = Path(sys.executable).parent / "demixer"
    help_text = subprocess.run([command, "--help"], capture_output=True, text=True, check=True).stdout
    assert "separate" in help_text
    assert "models" in help_text


def test_a_song_that_is_cut_off_comes_with_a_warning(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.wav", tone(3), subtype="PCM_16").read_bytes()
    song = tmp_path / "cut.wav"
    song.write_bytes(whole[: len(whole) // 2])
    result = separate(tmp_path / "out", song, tmp_path / "whole.wav", "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == [
        "demixer: cut.wav: The file is cut off or damaged: 0:02 of the song are missing."
    ]
    cut, complete = json.loads(result.stdout)["songs"]
    assert cut["missing"]["seconds"] == pytest.approx(1.5, abs=0.01)
    assert complete["missing"] is None
