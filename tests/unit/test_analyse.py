"""`demixer analyse`, as a person or a script uses it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile
from typer.testing import CliRunner, Result

from demixer import cli
from tests import songs

RATE = 22_050


def analyse(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, ["analyse", *map(str, arguments)])


def write_song(folder: Path) -> Path:
    """A song of twelve seconds, and its stems in `folder/stems/song`."""
    stems = songs.stems(12.0, RATE)
    (folder / "stems" / "song").mkdir(parents=True)
    for name, samples in stems.items():
        soundfile.write(folder / "stems" / "song" / f"{name}.wav", samples.T, RATE, subtype="FLOAT")
    song = folder / "song.wav"
    soundfile.write(song, np.sum(list(stems.values()), axis=0).T, RATE, subtype="FLOAT")
    return song


def test_facts_of_a_song_with_its_stems(tmp_path: Path) -> None:
    song = write_song(tmp_path)
    result = analyse(song, "--json", "--stems", tmp_path / "stems")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert {"tempo", "metre", "beats", "downbeats", "tuning", "key", "chords", "loudness", "confidence"} <= set(facts)
    assert facts["beats"] == sorted(facts["beats"])
    assert set(facts["downbeats"]) <= set(facts["beats"])
    assert facts["chords"][0]["start"] == 0
    assert facts["chords"][-1]["stop"] == 12
    assert -60 < facts["loudness"] < 0
    assert set(facts["stems"]) == {path.stem for path in (tmp_path / "stems" / "song").iterdir()}


def test_a_line_a_song_and_an_error_costs_only_its_own(tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros((RATE, 2)), RATE)
    result = analyse(tmp_path / "missing.wav", silence, "--json")
    assert result.exit_code == 2
    missing, silent = map(json.loads, result.stdout.splitlines())
    assert missing["error"]["code"] == "audio/unreadable"
    assert (silent["tempo"], silent["key"], silent["loudness"]) == (None, None, None)
    told = analyse(silence)
    assert told.exit_code == 0
    assert told.stdout.strip() == "silence.wav: no steady beat found, no key found, silent"


def test_stems_of_another_song_are_refused(tmp_path: Path) -> None:
    song = write_song(tmp_path)
    soundfile.write(tmp_path / "stems" / "song" / "drums.wav", np.zeros((RATE, 2)), RATE)
    result = analyse(song, "--stems", tmp_path / "stems")
    assert result.exit_code == 2
    assert "drums" in result.stderr
