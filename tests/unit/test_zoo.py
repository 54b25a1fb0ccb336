"""The zoo through the command line: the same songs as in the browser, to the sample, or one typed error."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from demixer import cli
from demixer.audio import Samples
from demixer.errors import AudioError
from demixer.runtimes.files import open_song, read_song
from tests.zoo import AAC_TAIL, LOSSY, NOT_FINITE, OPUS, ZOO, Animal, Right, assert_right, song


def wrong_song() -> Samples:
    """The first of several tracks."""
    return song()[::-1]


#: Files that the command line decodes differently from the page.
NATIVE: Final[dict[str, Right | str]] = {
    # They know more codecs, and do not look for protection (of which our files have only the label).
    "ALAC.m4a": Right(song, decibel=100),
    "ADPCM.wav": Right(song, decibel=LOSSY, tail=1163),
    "ADPCM.aifc": Right(song, decibel=LOSSY, tail=63),
    "Core Audio.caf": Right(song, decibel=70),
    "free format.mp3": Right(partial(song, 48_000), 48_000, LOSSY, delay=1105, tail=335),
    "protected by a shop.m4p": Right(song, decibel=LOSSY),
    "protected stream.mp4": Right(song, decibel=LOSSY),
    # They read Matroska's note on the end, and take the first track.
    "Opus in WebM.webm": OPUS.outcome,
    "second track is the default.mp4": Right(wrong_song, decibel=LOSSY),
    "third track is the default.mkv": Right(wrong_song, decibel=LOSSY, tail=AAC_TAIL),
    # They say the same in other words.
    "empty.wav": "audio/unreadable",
    "web page.flac": "audio/empty",
    "65,535 channels.wav": "audio/unreadable",
    "claims 4 billion packets.m4a": "audio/empty",
}

#: FFmpeg leaves the delay of its own encoder in.
OUT_OF_SCOPE: Final = "Windows Media.wma"


def put(animal: Animal, folder: Path) -> Path:
    path = folder / animal.name
    path.write_bytes(animal.encode())
    return path


@pytest.mark.parametrize(
    "animal",
    [animal for animal in ZOO if animal not in NOT_FINITE and animal.name != OUT_OF_SCOPE],
    ids=lambda animal: animal.name,
)
def test_a_file_is_a_song_or_one_error(animal: Animal, tmp_path: Path) -> None:
    path = put(animal, tmp_path)
    outcome = NATIVE.get(animal.name, animal.outcome)
    if isinstance(outcome, str):
        with pytest.raises(AudioError) as caught:
            read_song(path)
        assert caught.value.code == outcome
    else:
        with open_song(path) as opened:
            assert_right(outcome, opened.samples(0, opened.length), opened.rate)
            assert (opened.loss is not None) == outcome.cut


@pytest.mark.parametrize("animal", NOT_FINITE, ids=lambda animal: animal.name)
def test_what_is_not_finite_is_refused(animal: Animal, tmp_path: Path) -> None:
    output = tmp_path / "stems"
    arguments = ["separate", str(put(animal, tmp_path)), "-o", str(output), "--model", "hpss", "--json"]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert json.loads(result.stdout)["songs"][0]["error"]["code"] == animal.outcome
    assert not output.exists()


def test_every_difference_is_one() -> None:
    animals = {animal.name: animal for animal in ZOO}
    assert all(animals[name].outcome != outcome for name, outcome in NATIVE.items())
