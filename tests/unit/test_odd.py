"""Odd files through the command line: to the last sample, and where the page has them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from demixer.runtimes.files import open_song, read_song
from tests.odd import FOLDER, LAGS, LENGTHS, read
from tests.zoo import lag


def put(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(read(name))
    return path


@pytest.mark.parametrize("name", LENGTHS)
def test_an_odd_file_is_read_to_its_end(name: str, tmp_path: Path) -> None:
    with open_song(put(name, tmp_path)) as song:
        assert (song.length, song.loss) == (LENGTHS[name], None)
        assert np.abs(song.samples(song.length - song.rate // 4, song.length)).max() > 0.001


@pytest.mark.parametrize("name", LAGS)
def test_the_delay_is_left_out(name: str, tmp_path: Path) -> None:
    reference = read_song(FOLDER / "MP3 in WAV.wav").samples
    assert abs(lag(reference, read_song(put(name, tmp_path)).samples) - LAGS[name]) <= 1


def test_joined_songs_are_all_read(tmp_path: Path) -> None:
    first = (FOLDER / "8 kB zeros after ID3.mp3").read_bytes()
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(first + bytes(100) + first)
    assert read_song(joined).length == 2 * LENGTHS["8 kB zeros after ID3.mp3"]


def test_channels_of_vorbis_come_in_the_order_of_a_wav() -> None:
    """The third channel of a WAV, low frequencies, is the quiet or dull one here: FFmpeg orders them itself."""
    ours = read_song(FOLDER / "5.1.ogg").samples
    with av.open(str(FOLDER / "5.1.ogg"), "r") as container:
        theirs = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert np.allclose(ours, theirs[:, : ours.shape[1]], atol=1e-4)
